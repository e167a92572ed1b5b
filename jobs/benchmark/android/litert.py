"""The output of the LiteRT 2.x `benchmark_model` to an outcome. Pure; raises nothing.

Form: litert/tools/benchmark_litert_model; a block of figures in milliseconds, each line behind a mark like
`INFO: [benchmark_litert_model.cc:123] ` on stderr, or in the log of a device.
"""

import re

from pydantic import ValidationError

from common.schema.outcome import Delegation, Failed, Measured, Outcome, Stat, Unsupported
from jobs.benchmark.android.classic import KIB_PER_MIB, REASON_LENGTH, UNKNOWN_FLAGS, Printed, why_stopped

BLOCK = "========== BENCHMARK RESULTS =========="
US_PER_MS = 1000.0
MARK = re.compile(r"^(?:\w+: )?(?:\[[^\]\n]{1,200}\] )?", re.MULTILINE)
FIGURE = r"(\d{1,15}\.\d{2})"
LINES = {
    "init": rf"^Model initialization: {FIGURE} ms[ \t]*\n",
    "first": rf"^Warmup \(first\): {FIGURE} ms[ \t]*\n",
    "warmup": rf"^Warmup \(avg\): {FIGURE} ms \((\d{{1,12}}) runs\)[ \t]*\n",
    "mean": rf"^Inference \(avg\): {FIGURE} ms \((\d{{1,12}}) runs\)[ \t]*\n",
    "min": rf"^Inference \(min\): {FIGURE} ms[ \t]*\n",
    "max": rf"^Inference \(max\): {FIGURE} ms[ \t]*\n",
    "std": rf"^Inference \(std\): {FIGURE}[ \t]*\n",
    "memory_init": rf"^(?:- )?Init footprint: {FIGURE} MB[ \t]*\n",
    "memory_overall": rf"^(?:- )?Overall footprint: {FIGURE} MB[ \t]*\n",
}
# Without a figure where the tool cannot know it.
PEAK = re.compile(rf"^(?:- )?Peak memory(?: usage)?: {FIGURE} MB[ \t]*\n", re.MULTILINE)
FALLBACK = "Disallowed CPU fallback detected."


def parse(printed: Printed, backend: str) -> Outcome:
    """How the process ended. A GPU run was started with full delegation required, so that exit status 0 is
    the proof; on the CPU this tool says nothing of delegates."""
    if found := UNKNOWN_FLAGS.search(printed.text):
        return _failed(f"the tool does not know {found[1].strip()}", printed)
    if FALLBACK in printed.text:
        return Unsupported(reason=FALLBACK)
    if printed.status != 0:
        return _failed(why_stopped(printed), printed)
    _, marked, block = MARK.sub("", printed.text).partition(BLOCK)
    found_all = {key: re.findall(pattern, block, re.MULTILINE) for key, pattern in LINES.items()}
    if not marked or BLOCK in block or any(len(found) != 1 for found in found_all.values()):
        return _failed("the tool ended without a complete result", printed)
    peaks = [float(peak) for peak in PEAK.findall(block)]
    return _measured({key: found[0] for key, found in found_all.items()}, peaks, printed, backend)


def _measured(found: dict[str, str | tuple[str, str]], peaks: list[float], printed: Printed, backend: str) -> Outcome:
    def figure(key: str) -> float:
        value = found[key]
        return float(value if isinstance(value, str) else value[0])

    low, mean, high = figure("min"), figure("mean"), figure("max")
    # Figures have two decimals, so that the mean of fast runs may round past an end.
    rounding = 0.01
    if mean <= 0 or not low - rounding <= mean <= high + rounding:
        return _failed("the tool's figures contradict each other", printed)
    try:
        warmup = Stat(
            count=int(found["warmup"][1]),
            mean_us=figure("warmup") * US_PER_MS,
            **dict.fromkeys(("median_us", "min_us", "max_us", "std_us", "p5_us", "p95_us")),
        )
        steady = Stat(
            count=int(found["mean"][1]),
            mean_us=mean * US_PER_MS,
            min_us=low * US_PER_MS,
            max_us=high * US_PER_MS,
            std_us=figure("std") * US_PER_MS,
            **dict.fromkeys(("median_us", "p5_us", "p95_us")),
        )
        return Measured(
            init_us=figure("init") * US_PER_MS,
            first_us=figure("first") * US_PER_MS,
            warmup=warmup,
            steady=steady,
            memory_init_kib=round(figure("memory_init") * KIB_PER_MIB),
            memory_overall_kib=round(figure("memory_overall") * KIB_PER_MIB),
            memory_peak_kib=round(peaks[0] * KIB_PER_MIB) if len(peaks) == 1 else None,
            delegation=_delegation(backend),
        )
    except ValidationError:
        return _failed("the tool's figures are out of range", printed)


def _delegation(backend: str) -> Delegation | None:
    if backend != "gpu":
        return None
    return Delegation(extent="complete", kernel=None, nodes_delegated=None, nodes_total=None, partitions=None)


def _failed(reason: str, printed: Printed) -> Failed:
    return Failed(reason=reason[:REASON_LENGTH], log=printed.log)
