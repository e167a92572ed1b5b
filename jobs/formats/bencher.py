"""Bencher Metric Format (bencher.dev/docs/reference/bencher-metric-format). Pure.

A cell is a benchmark with `latency` in nanoseconds, Bencher's own unit, and its 95 % interval, and with `memory` in
bytes; a variant is one with `file-size` in bytes and `accuracy`, a share with its interval.
"""

from collections.abc import Iterator

from common.artifact import indented
from common.schema.base import Interval
from common.schema.results import Results
from jobs.formats.cells import cells

NS_PER_US, BYTES_PER_MB = 1000.0, float(1 << 20)
Metric = dict[str, float]


def bencher_json(results: Results) -> bytes:
    """The file."""
    document = dict(_benchmarks(results))
    return indented(document)


def _benchmarks(results: Results) -> Iterator[tuple[str, dict[str, Metric]]]:
    shares = {evaluation.variant: evaluation.accuracy for evaluation in results.evaluations}
    for variant in results.variants:
        told = {"file-size": {"value": float(variant.size_bytes)}}
        if (share := shares.get(variant.name)) is not None:
            told["accuracy"] = _metric(share.value, share.low, share.high)
        yield variant.name, told
    for cell in cells(results):
        told = {"latency": _latency(cell.latency.latency_us, cell.latency.interval)}
        if cell.latency.memory_mb is not None:
            told["memory"] = {"value": cell.latency.memory_mb * BYTES_PER_MB}
        yield cell.name, told


def _latency(us: float, interval: Interval | None) -> Metric:
    if interval is None:
        return {"value": us * NS_PER_US}
    return _metric(us * NS_PER_US, interval.low * NS_PER_US, interval.high * NS_PER_US)


def _metric(value: float, low: float, high: float) -> Metric:
    """A value with its ends; the median of few processes may lie beside the interval of their typical one."""
    return {"value": value, "lower_value": min(value, low), "upper_value": max(value, high)}
