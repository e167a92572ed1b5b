"""Numbers and texts as people read them in the report and the model card. Pure."""

from common.schema.base import Interval, Proportion

BYTES_PER_MB = 1_000_000
# Below it, two decimals would leave fewer than two digits of the figure.
SMALL = 0.1
# p values below it are not told apart.
TINY_P = 0.001
# Typographic signs, by their names since they look like a hyphen and an x.
DASH, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
ABSENT = DASH


def decimal(value: float) -> str:
    """Up to two decimals without trailing zeros (9382, 8.5, 6719.84); two digits below 0.1."""
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


def ratio(interval: Interval) -> str:
    """A ratio with its interval, two decimals."""
    return f"{interval.value:.2f}{TIMES} ({interval.low:.2f}{DASH}{interval.high:.2f})"


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
