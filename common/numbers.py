"""Numbers and texts as people read them in the report and the model card. Pure.

An interval stands in brackets behind its estimate, in the estimate's unit, with a dash between its ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from common.schema.base import Interval, Proportion

BYTES_PER_MB = 1_000_000
# Below it, two decimals would leave fewer than two digits of the figure.
SMALL = 0.1
# From here on a figure is written with an exponent.
HUGE = 1e9
MOST_DECIMALS = 2
# Of a ratio's interval: the last place of the estimate is at most a 50th of it, that of its ends a fifth.
STEPS_VALUE, STEPS_ENDS = 50, 5
# Microseconds.
UNITS = (("µs", 1.0), ("ms", 1e3), ("s", 1e6))
MINUTE, HOUR = 60, 3600
# p values below it are not told apart.
TINY_P = 0.001
# Typographic signs, by their names since they look like a hyphen and an x.
DASH, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
ABSENT = DASH


def decimal(value: float) -> str:
    """Up to two decimals without trailing zeros (9382, 8.5, 6719.84); two digits below 0.1."""
    if abs(value) >= HUGE:
        return f"{value:.2e}"
    if 0 < abs(value) < SMALL:
        return f"{float(f'{value:.2g}'):f}".rstrip("0") if abs(value) >= 1e-6 else f"{value:.1e}"  # noqa: PLR2004
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def megabytes(size_bytes: int) -> str:
    """A file's size in MB of 10**6 bytes."""
    return decimal(size_bytes / BYTES_PER_MB)


def percent(share: float) -> str:
    """A share in per cent with up to two decimals."""
    return f"{decimal(100 * share)} %"


def span(low: float, high: float) -> str:
    """Two ends."""
    return f"{decimal(low)}{DASH}{decimal(high)}"


def proportion(share: Proportion) -> str:
    """A share with its interval."""
    return f"{percent(share.value)} ({span(100 * share.low, 100 * share.high)})"


def speedup(interval: Interval) -> str:
    """A speed-up, or another ratio, with as many decimals as the width of its interval allows, two at most, and no more
    than three digits where those lie in it: 22.6 (13 to 47), 13.0 (11.9 to 13.7), 1.34 (1.31 to 1.38)."""
    width = interval.high - interval.low
    value = factor(interval.value, _digits(interval, _places(width / STEPS_VALUE)))
    fewest = _places(width / STEPS_ENDS)
    # The estimate must not lie outside of the interval that is shown.
    ends = (d for d in range(fewest, MOST_DECIMALS) if _holds(interval, d))
    decimals = next(ends, MOST_DECIMALS)
    return f"{value} ({_fixed(interval.low, decimals)}{DASH}{_fixed(interval.high, decimals)})"


def factor(value: float, decimals: int = 2) -> str:
    """A ratio alone."""
    return f"{_fixed(value, decimals)}{TIMES}"


def _digits(interval: Interval, places: int) -> int:
    """The fewest decimals that leave three digits, `places` at most, with which the estimate lies in its interval."""
    if not 1 <= interval.value < HUGE:
        return places
    fewest = max(0, 2 - floor(log10(interval.value)))
    inside = (d for d in range(fewest, places) if interval.low <= round(interval.value, d) <= interval.high)
    return next(inside, places)


def _holds(interval: Interval, decimals: int) -> bool:
    low = round(interval.low, decimals)
    # A positive end that is shown as 0 would be another claim.
    return low <= interval.value <= round(interval.high, decimals) and (low > 0 or interval.low <= 0)


def _places(step: float) -> int:
    """Decimals whose last place is at most `step`, 0 to 2."""
    return min(MOST_DECIMALS, max(0, -floor(log10(step)))) if 0 < step < float("inf") else MOST_DECIMALS * (step <= 0)


def _fixed(value: float, decimals: int) -> str:
    if abs(value) >= HUGE:
        return f"{value:.2e}"
    return decimal(value) if 0 < abs(value) < SMALL else f"{value:.{decimals}f}"


def duration(us: float) -> str:
    """Microseconds with three digits, in µs, ms or s by their magnitude."""
    return time_unit((us,)).write(us, unit=True)


def elapsed(seconds: float) -> str:
    """`41 s`, `3 min 05 s`, `1 h 04 min`."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"


@dataclass(frozen=True)
class TimeUnit:
    """How the times of one column are written: the unit, how many microseconds it has, and the decimals."""

    name: str
    us: float
    decimals: int

    def write(self, us: float, *, unit: bool = False) -> str:
        """A time of the column, with its unit where the column's heading does not name it."""
        value = us / self.us
        text = f"{value:.2e}" if abs(value) >= HUGE else f"{value:.{self.decimals}f}"
        return f"{text} {self.name}" if unit else text

    def interval(self, us: float, low: float, high: float, *, unit: bool = False) -> str:
        """A time with its interval."""
        return f"{self.write(us, unit=unit)} ({self.write(low)}{DASH}{self.write(high)})"


def time_unit(times_us: Sequence[float]) -> TimeUnit:
    """The unit for times that are read together: the smallest decides, and has three digits."""
    least = min((us for us in times_us if 0 < us < float("inf")), default=1.0)
    # What rounds to 1000 of a unit is 1 of the next.
    name, us = next((unit for unit in reversed(UNITS) if least >= 0.9995 * unit[1]), UNITS[0])
    return TimeUnit(name, us, decimals((least / us,)))


def decimals(values: Sequence[float]) -> int:
    """Decimals for a column of these values, 0 to 2: the smallest one has three digits then."""
    least = min((abs(value) for value in values if 0 < abs(value) < float("inf")), default=1.0)
    return min(MOST_DECIMALS, max(0, 2 - floor(log10(float(f"{least:.2e}")))))


def p_value(value: float) -> str:
    """`p = 0.42`, `p = 0.034` or `p < 0.001`."""
    if value < TINY_P:
        return f"p < {TINY_P}"
    return f"p = {value:.2f}" if value >= SMALL else f"p = {value:.3f}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 thread`, `4 threads`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(words: tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where some were left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
