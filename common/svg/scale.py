"""Scales of axes: from values to pixels, and where the ticks stand. Pure.

Any values are taken, 1e308 and 5e-324 too, and equal ones: what no instrument shows stands at the end of the axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

# Of a tick's step and of the digits on a logarithmic axis.
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
DIGITS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0))
# Nothing beyond them is told apart, so that sums and ratios of figures stay finite.
MOST, LEAST = 1e100, 1e-100
LARGE, SMALL = 1e6, 1e-3


@dataclass(frozen=True)
class Linear:
    """`low` is drawn at pixel `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value; those outside stand at the ends."""
        share = (tame(value) - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, most: int) -> tuple[float, ...]:
        """At most about `most` round values."""
        step = _step((self.high - self.low) / max(1, most))
        first = ceil(self.low / step - 1e-9)
        found = (step * (first + place) for place in range(2 * most + 2))
        return tuple(value + 0.0 for value in found if value <= self.high + abs(step) * 1e-9)


@dataclass(frozen=True)
class Log:
    """The same by the logarithm, of positive values."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value; those outside stand at the ends, 0 and less at the low one."""
        if value <= self.low:
            return self.start
        share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return self.start + min(1.0, share) * (self.end - self.start)

    def ticks(self, most: int) -> tuple[float, ...]:
        """At most about `most` round values, whole decades where there are many."""
        low, high = log10(self.low), log10(self.high)
        if high - low > most:
            every = ceil((high - low) / most)
            return tuple(_power(place) for place in range(ceil(low - 1e-9), floor(high + 1e-9) + 1, every))
        candidates = [self._digits(digits) for digits in DIGITS]
        fitting = [found for found in candidates if 2 <= len(found) <= most]  # noqa: PLR2004
        return fitting[-1] if fitting else Linear(self.low, self.high, self.start, self.end).ticks(most)

    def _digits(self, digits: tuple[float, ...]) -> tuple[float, ...]:
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        found = (digit * _power(decade) for decade in decades for digit in digits)
        return tuple(value for value in found if self.low * (1 - 1e-9) <= value <= self.high)


Scale = Linear | Log


def tame(value: float) -> float:
    """A figure, or the end of what is told apart beyond it."""
    return min(MOST, max(-MOST, value))


def _power(exponent: int) -> float:
    return float(f"1e{exponent}")


def _step(wanted: float) -> float:
    power = _power(floor(log10(wanted)))
    return next((step * power for step in STEPS if step * power >= wanted * (1 - 1e-9)), wanted)


def linear(values: Sequence[float], start: float, end: float, *, room: float = 0.05, zero: bool = False) -> Linear:
    """A scale that holds all values with some room, as a share of their span, on both sides; from 0 if `zero`."""
    held = [*map(tame, values), *([0.0] if zero else [])]
    low, high = min(held), max(held)
    if high - low <= max(LEAST, 1e-9 * max(abs(low), abs(high))):
        reach = 0.05 * max(abs(low), abs(high))
        reach = reach if reach > LEAST else 1.0
        low, high = (low if zero and low >= 0 else low - reach), high + reach
    span = (high - low) * room
    return Linear(low if zero and low >= 0 else low - span, high + span, start, end)


def log(values: Sequence[float], start: float, end: float, *, least: float = 1.1) -> Log:
    """A logarithmic scale that holds all positive values with some room, `least` being the narrowest factor.

    There must be a positive value.
    """
    held = [min(MOST, max(LEAST, value)) for value in values if value > 0]
    low, high = log10(min(held)), log10(max(held))
    room = max(0.06 * (high - low), (log10(least) - (high - low)) / 2)
    return Log(10 ** (low - room), 10 ** (high + room), start, end)


def written(ticks: Sequence[float]) -> tuple[str, ...]:
    """Labels of the ticks, with the decimals that they need."""
    return tuple(_written(value) for value in ticks)


def _written(value: float) -> str:
    if value == 0:
        return "0"
    if not SMALL <= abs(value) < LARGE:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
