"""The classic benchmark_model from its arguments to its exit status, in the order in which the tool speaks.

Form: recorded output of the real tool (LiteRT source of 2026-08, Linux), with the lines that only Android builds
print (which nodes a delegate took).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.devices.phone.classic.delegation import NAMES, Delegation, delegate
from tests.devices.phone.classic.flags import Flags, parse, usage
from tests.devices.phone.classic.inputs import Inputs, check, read_inputs
from tests.devices.phone.classic.numbers import g, mean, percentile, statistics
from tests.devices.phone.classic.profile import Node, profile
from tests.devices.phone.classic.result_file import encode
from tests.devices.phone.classic.runtime import Execution, Memory, Model, Runtime, Session, ToolError

PROFILE_MODES = ("stdout", "csv", "proto")
LEAST_THREADS = -1
MEGABYTE = 1e6
# What an operator is called where XNNPACK runs it, commas and all.
XNNPACK_KERNELS = {
    "CONV_2D": "Convolution (NHWC, F32) IGEMM",
    "DEPTHWISE_CONV_2D": "Convolution (NHWC, F32) DWConv",
    "FULLY_CONNECTED": "Fully Connected (NC, F32) GEMM",
    "MUL": "Multiply (ND)",
    "ADD": "Add (ND)",
    "MAX_POOL_2D": "Max Pooling (NHWC, F32)",
    "RESHAPE": "Static Reshape (NC)",
    "SOFTMAX": "Softmax (NC, F32)",
}
NOTE = (
    "Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual "
    "memory footprint of the model at runtime. Take the information at your discretion."
)


@dataclass(frozen=True)
class Measured:
    """Samples in microseconds of the two phases."""

    init_us: int
    warmup: tuple[int, ...]
    runs: tuple[int, ...]
    memory: Memory


def main(argv: Sequence[str], runtime: Runtime, program: str = "benchmark_model") -> int:
    """Run the tool; returns its exit status, 0 or 1. A session may raise whatever stops a process."""
    runtime.out("INFO: STARTING!\n")
    flags = parse(argv)
    try:
        _refuse(flags, runtime, program)
        _log(runtime, flags.log())
        _benchmark(flags, runtime)
    except ToolError as error:
        for line in error.lines:
            runtime.err(f"ERROR: {line}\n")
        runtime.err("ERROR: Benchmarking failed.\n")
        return 1
    return 0


def _refuse(flags: Flags, runtime: Runtime, program: str) -> None:
    if flags.unconsumed:
        runtime.out(f"WARN: Unconsumed cmdline flags: {' '.join(flags.unconsumed)}\n")
    complaints = [f"Failed to parse flag '{name}' against argv '{argument}'" for name, argument in flags.wrong]
    if complaints or flags.on("help"):
        raise ToolError(*complaints, usage(program))
    if not flags.text("graph"):
        raise ToolError("Please specify the name of your TF Lite input file with --graph")
    check(flags)
    mode = flags.text("op_profiling_output_mode")
    if mode not in PROFILE_MODES:
        raise ToolError(f"Output mode{mode} is not supported. Supported values are: 'stdout', 'csv' and 'proto'.")


def _log(runtime: Runtime, lines: Sequence[str]) -> None:
    for line in lines:
        runtime.out(f"INFO: {line}\n")


def _benchmark(flags: Flags, runtime: Runtime) -> None:
    model = _load(flags, runtime)
    if flags.on("list_signatures"):
        _list_signatures(model, runtime)
    if flags.number("num_threads") < LEAST_THREADS:
        bound = "num_threads should be >= 0 or just -1 to let TFLite runtime set the value."
        raise ToolError(bound, "Failed to set thread number")
    delegation, session = _prepare(flags, model, read_inputs(flags, model, runtime), runtime)
    _log(
        runtime,
        [
            f"The input model file size (MB): {g(len(model.content) / MEGABYTE)}",
            f"Initialized session in {g(session.init_us / 1000)}ms.",
        ],
    )
    warmup = _phase(flags, session, runtime, "warmup_runs", "warmup_min_secs")
    runs = _phase(flags, session, runtime, "num_runs", "min_secs")
    measured = Measured(session.init_us, warmup, runs, session.memory())
    _export_outputs(flags, session, runtime)
    _summary(flags, measured, runtime)
    if flags.on("enable_op_profiling"):
        _profile(flags, model, delegation, measured, runtime)
    _export_result(flags, model, measured, runtime)


def _load(flags: Flags, runtime: Runtime) -> Model:
    path = flags.text("graph")
    failed = f"Failed to load model {path}"
    empty = "The model allocation is null/empty"
    try:
        content = runtime.read(path)
    except IsADirectoryError:
        raise ToolError("Mmap of '3' at offset '0' failed with error '19'.", empty, failed) from None
    except OSError:
        raise ToolError(f"Could not open '{path}'.", empty, failed) from None
    if not content:
        raise ToolError("mmap of size 0 requested.", empty, failed)
    try:
        model = runtime.model(path, content)
    except ToolError as error:
        raise ToolError(*error.lines, failed) from None
    _log(runtime, [f"Loaded model {path}"])
    return model


def _list_signatures(model: Model, runtime: Runtime) -> None:
    keys = [f"-> Signature Key: {key}" for key in model.signatures]
    _log(runtime, [f"The Model contains {len(keys)} signature key(s).", "They are listed below: ", *keys])
    raise ToolError


def _prepare(flags: Flags, model: Model, inputs: Inputs, runtime: Runtime) -> tuple[Delegation, Session]:
    delegation = delegate(flags, runtime.delegates, len(model.operators))
    for line in delegation.out:
        runtime.out(line + "\n")
    for line in delegation.err:
        runtime.err(line + "\n")
    threads = max(int(flags.number("num_threads")), 1)
    execution = Execution(delegation.backend, threads, inputs.shapes, inputs.contents, delegation.outputs)
    return delegation, runtime.prepare(model, execution)


def _phase(flags: Flags, session: Session, runtime: Runtime, runs_flag: str, secs_flag: str) -> tuple[int, ...]:
    dry = flags.on("dry_run")
    wanted, least_s = (0, -1.0) if dry else (int(flags.number(runs_flag)), flags.number(secs_flag))
    most_s = flags.number("max_secs")
    _log(
        runtime,
        [
            f"Running benchmark for at least {wanted} iterations and at least {g(least_s)} seconds but terminate "
            f"if exceeding {g(most_s)} seconds."
        ],
    )
    samples: list[int] = []
    elapsed_s = 0.0
    while (len(samples) < wanted or elapsed_s < least_s) and elapsed_s <= most_s:
        samples.append(session.invoke())
        elapsed_s += samples[-1] / 1e6 + max(flags.number("run_delay"), 0.0)
    runtime.out(f"INFO: {statistics(samples)}\n\n")
    return tuple(samples)


def _summary(flags: Flags, measured: Measured, runtime: Runtime) -> None:
    first = measured.warmup[0] if measured.warmup else 0
    lines = [
        f"Inference timings in us: Init: {measured.init_us}, First inference: {first}, "
        f"Warmup (avg): {g(mean(measured.warmup))}, Inference (avg): {g(mean(measured.runs))}",
        NOTE,
        f"Memory footprint delta from the start of the tool (MB): init={g(measured.memory.init_mb)} "
        f"overall={g(measured.memory.overall_mb)}",
    ]
    if flags.on("report_peak_memory_footprint"):
        resident = int(measured.memory.peak_mb)
        lines += [
            f"Overall peak memory footprint (MB) via periodic monitoring: {g(measured.memory.peak_mb)}",
            "Memory status at the end of exeution:",
            f"- VmRSS              : {resident} MB",
            f"+ RssAnnon           : {resident // 2} MB",
            f"+ RssFile + RssShmem : {resident - resident // 2} MB",
        ]
    _log(runtime, lines)


def _profile(flags: Flags, model: Model, delegation: Delegation, measured: Measured, runtime: Runtime) -> None:
    path = flags.text("op_profiling_output_file") or flags.text("profiling_output_csv_file")
    csv = flags.text("op_profiling_output_mode") == "csv" or bool(flags.text("profiling_output_csv_file"))
    init_ms = measured.init_us / 1000
    prepared = [Node("AllocateTensors", "AllocateTensors/0", init_ms, init_ms, 128)]
    if delegation.delegated:
        prepared.insert(0, Node("ModifyGraphWithDelegate", "ModifyGraphWithDelegate/0", init_ms, init_ms, 16896))
    executed = _executed(model, delegation, mean(measured.runs) / 1000)
    parts = {
        "Profiling Info for Benchmark Initialization:": profile(prepared, [measured.init_us], csv),
        "Operator-wise Profiling Info for Regular Benchmark Runs:": profile(executed, measured.runs, csv),
    }
    if not path:
        for title, table in parts.items():
            runtime.out(f"INFO: {title}\n{table}\n")
        return
    text = "".join(f"{title}\n{table}" for title, table in parts.items())
    _quietly(lambda: runtime.write(path, text.encode()))


def _executed(model: Model, delegation: Delegation, average_ms: float) -> list[Node]:
    """Nodes of the graph as they ran: XNNPACK names its own kernels, other delegates are one node each."""
    taken = delegation.delegated
    nodes = []
    if taken and delegation.backend != "xnnpack":
        spent = average_ms * sum(operator.share for operator in model.operators[:taken])
        nodes.append(
            Node(NAMES[delegation.backend][1], f"{NAMES[delegation.backend][1]}:{len(model.operators)}", spent, spent)
        )
    for index, operator in enumerate(model.operators):
        spent = average_ms * operator.share
        if index >= taken:
            nodes.append(Node(operator.kind, f"[{operator.name}]:{index}", spent, spent))
        elif delegation.backend == "xnnpack":
            kernel = XNNPACK_KERNELS.get(operator.kind, f"{operator.kind.title()} (NC, F32)")
            nodes.append(Node(kernel, f"Delegate/{kernel}:{index}", spent, spent))
    return nodes


def _export_outputs(flags: Flags, session: Session, runtime: Runtime) -> None:
    path = flags.text("output_filepath")
    if path and not flags.on("dry_run"):
        _quietly(lambda: runtime.write(path, session.outputs()))


def _quietly(write: Callable[[], None]) -> None:
    """The tool says nothing of a file that it cannot write, and goes on."""
    try:
        write()
    except OSError:
        return


def _export_result(flags: Flags, model: Model, measured: Measured, runtime: Runtime) -> None:
    path = flags.text("result_file_path")
    if not path:
        return
    ordered = sorted(measured.runs) or [0]
    average = mean(measured.runs)
    spread = (sum((value - average) ** 2 for value in measured.runs) / len(ordered)) ** 0.5
    first = measured.warmup[0] if measured.warmup else 0
    values = (average, ordered[0], ordered[-1], spread, *(percentile(ordered, share) for share in (0.5, 0.05, 0.95)))
    latencies = tuple(value / 1000 for value in (*values, measured.init_us, first, mean(measured.warmup)))
    memory = (round(measured.memory.init_mb * 1024), round(measured.memory.overall_mb * 1024), measured.memory.peak_mb)
    counts = (len(model.content) / MEGABYTE, len(measured.runs), len(measured.warmup))
    try:
        runtime.write(path, encode(flags.text("benchmark_name"), latencies, memory, counts))
    except OSError:
        runtime.err(f"ERROR: Failed to save benchmark result to: {path}\n")
        return
    runtime.out(f"INFO: Saving benchmark result to: {path}\n")
    runtime.out(f"INFO: Saved benchmark result to: {path}\n")


def now_us() -> int:
    """A clock for sessions that really run."""
    return time.perf_counter_ns() // 1000
