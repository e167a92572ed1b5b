"""The figures that a tool writes to `--result_file_path`: a binary BenchmarkResult. Pure; raises nothing.

Form: tflite/tools/benchmark/proto/benchmark_result.proto in LiteRT of 2026-08.
"""

import math
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from jobs.benchmark.android.protos import FLOAT, INT32, INT64, Fields, message

US_PER_MS = 1000.0
# A float of 32 bits holds seven digits: below that a microsecond's thousandths are noise.
DIGITS = 3
MESSAGES: dict[str, Fields] = {
    "Latency": (
        *((name, number, FLOAT) for number, name in enumerate(("avg", "min", "max", "std", "median"), 1)),
        *((name, number, FLOAT) for number, name in enumerate(("p5", "p95", "init", "first", "warmup"), 6)),
    ),
    "Memory": (("init_kb", 1, INT64), ("overall_kb", 2, INT64), ("peak_mb", 3, FLOAT)),
    "Counts": (("runs", 2, INT32), ("warmup_runs", 3, INT32)),
    "Result": (("latency", 2, "Latency"), ("memory", 3, "Memory"), ("counts", 4, "Counts")),
}
_RESULT = message("Result", MESSAGES)


@dataclass(frozen=True)
class Figures:
    """What a tool tells of a process. Times in microseconds, memory in KiB; None where it does not know."""

    runs: int
    warmup_runs: int
    mean_us: float
    median_us: float | None
    min_us: float
    max_us: float
    std_us: float
    p5_us: float | None
    p95_us: float | None
    init_us: float
    first_us: float
    warmup_us: float
    init_kib: int | None
    overall_kib: int | None
    peak_kib: int | None


def read(content: bytes) -> Figures | None:
    """The figures of a whole file; None for one that is cut off, of another form, or holds what is no latency."""
    try:
        result = _RESULT.FromString(content)
    except DecodeError:
        return None
    latency, memory, counts = result.latency, result.memory, result.counts
    values = {name: getattr(latency, name) for name, _, _ in MESSAGES["Latency"]}
    whole = all(latency.HasField(name) for name in values) and counts.HasField("runs")
    if not whole or not all(math.isfinite(value) and value >= 0 for value in values.values()) or counts.runs < 1:
        return None
    times = {f"{'mean' if name == 'avg' else name}_us": _us(value) for name, value in values.items()}
    return Figures(
        runs=counts.runs,
        warmup_runs=counts.warmup_runs,
        init_kib=_kib(memory, "init_kb"),
        overall_kib=_kib(memory, "overall_kb"),
        peak_kib=_peak(memory),
        **times,
    )


def _us(milliseconds: float) -> float:
    return round(milliseconds * US_PER_MS, DIGITS)


def _kib(memory: Any, name: str) -> int | None:
    return max(0, getattr(memory, name)) if memory.HasField(name) else None


def _peak(memory: Any) -> int | None:
    known = memory.HasField("peak_mb") and math.isfinite(memory.peak_mb) and memory.peak_mb > 0
    return round(memory.peak_mb * 1024) if known else None
