"""The output of the LiteRT 2.x `benchmark_model` to an outcome. Pure; raises nothing.

Form: litert/tools/benchmark_litert_model.h of 2026-08 and public logs of 2025 and 2026: a block of figures in
milliseconds, in columns, each line behind a mark like `INFO: [benchmark_litert_model.h:88] `. It has steps of 10 us
and no median, so that the figures are those of the result file where there is one, and what ran where is what the graph
says that the tool writes (`runtime_info`).
"""

import re
from dataclasses import dataclass

from pydantic import ValidationError

from common.schema.outcome import Delegation, Failed, Measured, Outcome, Stat, Unsupported
from jobs.benchmark.android import classic, result_file, runtime_info
from jobs.benchmark.android.classic import KIB_PER_MIB, REASON_LENGTH, UNKNOWN_FLAGS, Printed, why_stopped
from jobs.benchmark.android.delegation import errors
from jobs.benchmark.android.result_file import Figures
from jobs.benchmark.android.runtime_info import Placement

BLOCK = "========== BENCHMARK RESULTS =========="
US_PER_MS = 1000.0
MARK = re.compile(r"^(?:\w+: )?(?:\[[^\]\n]{1,200}\] )?", re.MULTILINE)
FIGURE = r"(\d{1,15}\.\d{2})"
# Columns are padded, and were not always.
GAP, END = r"[ \t]+", r"[ \t]*\n"
LINES = {
    "init": rf"^Model initialization:{GAP}{FIGURE} ms{END}",
    "first": rf"^Warmup \(first\):{GAP}{FIGURE} ms{END}",
    "warmup": rf"^Warmup \(avg\):{GAP}{FIGURE} ms \((\d{{1,12}}) runs\){END}",
    "mean": rf"^Inference \(avg\):{GAP}{FIGURE} ms \((\d{{1,12}}) runs\){END}",
    "min": rf"^Inference \(min\):{GAP}{FIGURE} ms{END}",
    "max": rf"^Inference \(max\):{GAP}{FIGURE} ms{END}",
    "std": rf"^Inference \(std\):{GAP}{FIGURE}{END}",
    "memory_init": rf"^(?:- )?Init footprint:{GAP}{FIGURE} MB{END}",
    "memory_overall": rf"^(?:- )?Overall footprint:{GAP}{FIGURE} MB{END}",
}
# Without a figure where the tool cannot know it.
PEAK = re.compile(rf"^(?:- )?Peak memory(?: usage)?:{GAP}{FIGURE} MB{END}", re.MULTILINE)
# Figures have two decimals, so that the mean of fast runs may round past an end.
STEP_US = 10.0
FALLBACK = "Disallowed CPU fallback detected."
# The tool's and the runtime's words for an accelerator that is not there, or does not take the model. Some stand in the
# output of processes that went well, since an environment may be made several times: they say why, not whether.
REASONS = {
    "npu": (
        r"Failed to create a dispatch delegate kernel.*",
        r"No usable Dispatch runtime found.*",
        r"Failed to apply compiler plugins.*",
        r"NPU accelerator could not be loaded and registered.*",
    ),
    "gpu": (r"GPU accelerator could not be loaded and registered.*", r"Can not open OpenCL library on this device.*"),
}
# These end it with status 1.
REFUSALS = (
    r"Some ops are not accelerated\..*",
    r"Failed to modify graph with delegate.*",
    r"Failed to compile model\..*",
)
ACCELERATORS = ("gpu", "npu")
NAMES = {"xnnpack": "XNNPACK", "gpu": "the GPU", "npu": "the NPU"}


@dataclass(frozen=True)
class Written:
    """What the tool wrote beside its output; None where it wrote no such file, or does not know the flag. `required`:
    it was started so that it fails where anything is left to the CPU."""

    result: bytes | None = None
    runtime: bytes | None = None
    required: bool = True


NOTHING = Written()


def parse(printed: Printed, backend: str, written: Written = NOTHING) -> Outcome:
    """How the process ended. Only what is proven is a measurement: exit status 0, complete figures, no argument
    ignored, and a graph of which the backend runs something."""
    if found := UNKNOWN_FLAGS.search(printed.text):
        return _failed(f"the tool does not know {found[1].strip()}", printed)
    if FALLBACK in printed.text:
        return Unsupported(reason=_because(printed, backend, FALLBACK))
    if printed.status != 0:
        return _stopped(printed, backend)
    placed = _placement(printed, written)
    proof = None if placed is None else placed.delegation(backend)
    if placed is not None and proof is not None and proof.extent == "none":
        words = f"{NAMES.get(backend, backend)} took nothing of this model: {placed.instead} ran it"
        return Unsupported(reason=_because(printed, backend, words))
    refused = _refused(printed, backend)
    if placed is None and refused is not None:
        return Unsupported(reason=refused[:REASON_LENGTH])
    if backend not in ACCELERATORS:
        # On the CPU the console alone was never asked for a proof.
        proof = None if written.runtime is None else proof
    elif proof is None and not written.required:
        return _failed(f"the tool does not tell what ran on {NAMES[backend]}", printed)
    elif proof is None:
        # Exit status 0 is the proof.
        proof = Delegation(extent="complete", kernel=None, nodes_delegated=None, nodes_total=None, partitions=None)
    return _figures(printed, proof, None if written.result is None else result_file.read(written.result))


def _placement(printed: Printed, written: Written) -> Placement | None:
    found = None if written.runtime is None else runtime_info.placement(written.runtime)
    return found or runtime_info.told(printed.text)


def _stopped(printed: Printed, backend: str) -> Outcome:
    """A process that ended with another status than 0: an accelerator that refuses a model is no failure."""
    if (printed.status or 0) < classic.SIGNALLED and backend in ACCELERATORS:
        for pattern in (*REASONS[backend], *REFUSALS):
            if found := re.search(pattern, printed.text):
                return Unsupported(reason=_because(printed, backend, found[0].strip()))
    if found := classic.CANNOT_RUN.search(printed.text):
        return Unsupported(reason=found[0].strip()[:REASON_LENGTH])
    return _failed(why_stopped(printed), printed)


def _refused(printed: Printed, backend: str) -> str | None:
    """The runtime's most telling words against an accelerator; None where it said none."""
    matches = (re.search(pattern, printed.text) for pattern in REASONS.get(backend, ()))
    return next((match[0].strip() for match in matches if match), None)


def _because(printed: Printed, backend: str, words: str) -> str:
    """Words with the runtime's reason after them, where it gave one."""
    refused = _refused(printed, backend)
    found = [] if refused is None else [refused]
    found += [MARK.sub("", line) for line in errors(printed.text)[:1]]
    reasons = [reason for reason in dict.fromkeys(found) if reason and reason not in words]
    return f"{words} ({reasons[0]})"[:REASON_LENGTH] if reasons else words[:REASON_LENGTH]


def _figures(printed: Printed, proof: Delegation | None, written: Figures | None) -> Outcome:
    _, marked, block = MARK.sub("", printed.text).partition(BLOCK)
    found_all = {key: re.findall(pattern, block, re.MULTILINE) for key, pattern in LINES.items()}
    if not marked or BLOCK in block or any(len(found) != 1 for found in found_all.values()):
        return _failed("the tool ended without a complete result", printed)
    found = {key: found[0] for key, found in found_all.items()}
    peaks = [float(peak) for peak in PEAK.findall(block)]
    told = _of_block(found, peaks[0] if len(peaks) == 1 else None, printed)
    best = written or told
    if best.mean_us <= 0 or not told.min_us - STEP_US <= told.mean_us <= told.max_us + STEP_US:
        return _failed("the tool's figures contradict each other", printed)
    if written is not None and not _agree(written, told):
        return _failed("the tool's result file contradicts what it printed", printed)
    try:
        return _measured(best, proof)
    except ValidationError:
        return _failed("the tool's figures are out of range", printed)


def _agree(written: Figures, told: Figures) -> bool:
    """Whether a file is of the process that printed: the same runs, and means within the block's steps."""
    close = abs(written.mean_us - told.mean_us) <= STEP_US + 1e-4 * told.mean_us
    return written.runs == told.runs and close and written.min_us <= written.mean_us <= written.max_us


def _of_block(found: dict[str, str | tuple[str, str]], peak_mib: float | None, printed: Printed) -> Figures:
    """The block's figures, with the percentiles of the line above it, which has microseconds, where that agrees."""

    def figure(key: str) -> float:
        value = found[key]
        return float(value if isinstance(value, str) else value[0])

    runs = int(found["mean"][1])
    line = classic.steady_line(printed.text, runs)
    return Figures(
        runs=runs,
        warmup_runs=int(found["warmup"][1]),
        # Below half a step the block has nothing.
        mean_us=figure("mean") * US_PER_MS or (0.0 if line is None else line.mean_us),
        median_us=None if line is None else line.median_us,
        min_us=figure("min") * US_PER_MS,
        max_us=figure("max") * US_PER_MS,
        std_us=figure("std") * US_PER_MS,
        p5_us=None if line is None else line.p5_us,
        p95_us=None if line is None else line.p95_us,
        init_us=figure("init") * US_PER_MS,
        first_us=figure("first") * US_PER_MS,
        warmup_us=figure("warmup") * US_PER_MS,
        init_kib=round(figure("memory_init") * KIB_PER_MIB),
        overall_kib=round(figure("memory_overall") * KIB_PER_MIB),
        peak_kib=None if peak_mib is None else round(peak_mib * KIB_PER_MIB),
    )


def _measured(told: Figures, proof: Delegation | None) -> Measured:
    warmup = Stat(
        count=told.warmup_runs,
        mean_us=told.warmup_us,
        **dict.fromkeys(("median_us", "min_us", "max_us", "std_us", "p5_us", "p95_us")),
    )
    steady = Stat(
        count=told.runs,
        mean_us=told.mean_us,
        median_us=told.median_us,
        min_us=told.min_us,
        max_us=told.max_us,
        std_us=told.std_us,
        p5_us=told.p5_us,
        p95_us=told.p95_us,
    )
    return Measured(
        init_us=told.init_us,
        first_us=told.first_us,
        warmup=warmup,
        steady=steady,
        memory_init_kib=told.init_kib or 0,
        memory_overall_kib=told.overall_kib or 0,
        memory_peak_kib=told.peak_kib,
        delegation=proof,
    )


def _failed(reason: str, printed: Printed) -> Failed:
    return Failed(reason=reason[:REASON_LENGTH], log=printed.log)
