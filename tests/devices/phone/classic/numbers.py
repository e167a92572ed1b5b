"""Numbers as a C++ stream prints them, and the tool's line of statistics."""

from collections.abc import Sequence


def g(value: float) -> str:
    """Six significant digits, as C++ streams print a float: 13.094, 1.23457e+06."""
    return f"{value:.6g}"


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value at `share` of a sorted sequence, without interpolation."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def mean(samples: Sequence[float]) -> float:
    """Average, 0 of nothing."""
    return sum(samples) / len(samples) if samples else 0.0


def statistics(samples: Sequence[int], percentiles: bool = True) -> str:
    """`count=… first=… …` of samples in microseconds, with the forms that it takes for none, one and equal ones."""
    if not samples:
        return "count=0 p5=0 median=0 p95=0" if percentiles else "count=0"
    if min(samples) == max(samples):
        head = f"count={len(samples)} curr={samples[-1]}" + ("(all same)" if len(samples) > 1 else "")
    else:
        average = mean(samples)
        spread = int(max(sum(value * value for value in samples) / len(samples) - average * average, 0) ** 0.5)
        head = (
            f"count={len(samples)} first={samples[0]} curr={samples[-1]} min={min(samples)} max={max(samples)} "
            f"avg={g(average)} std={spread}"
        )
    if not percentiles:
        return head
    ordered = sorted(samples)
    return f"{head} p5={percentile(ordered, 0.05)} median={percentile(ordered, 0.5)} p95={percentile(ordered, 0.95)}"
