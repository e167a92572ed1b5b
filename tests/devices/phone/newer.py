"""The benchmark_model of LiteRT 2.x from its arguments to its exit status.

Form: litert/tools/benchmark_litert_model.{h,cc} and litert/runtime of 2026-08, and public logs of phones: padded
columns, a mark before each line of the runtime, figures in --result_file_path, the graph in
--model_runtime_info_output_file. An accelerator that is not there is a warning, and the CPU runs all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.devices.phone.classic.numbers import g, mean, percentile, statistics
from tests.devices.phone.classic.result_file import encode
from tests.devices.phone.classic.runtime import Execution, Model, Runtime, Session, ToolError
from tests.devices.phone.graph import encoded
from tests.devices.phone.personality import Behaviour, Delegate, Outputs

MARK, SILENT = b"LITERT", b"LITERT-SILENT"
# What older builds do not know, by their marks.
OLDER, OLDEST = b"LITERT-OLDER", b"LITERT-OLDEST"
RUNTIME_INFO, RESULT = "model_runtime_info_output_file", "result_file_path"
LACKS = {OLDER: {RUNTIME_INFO}, OLDEST: {RUNTIME_INFO, RESULT}}
FLAGS = {
    **{"graph": "", "signature_to_run_for": "", "num_runs": "50", "min_secs": "1", "max_secs": "150"},
    **{"warmup_runs": "1", "warmup_min_secs": "0.5", "num_threads": "-1", "use_cpu": "true", "use_gpu": "false"},
    **{"use_npu": "false", "dispatch_library_path": "", "compiler_plugin_library_path": "", "compiler_cache_path": ""},
    **{"require_full_delegation": "false", "use_profiler": "false", "gpu_backend": "", "gpu-precision": "auto"},
    **{RESULT: "", RUNTIME_INFO: "", "report_peak_memory_footprint": "false", "help": "false"},
}
DISPATCH = "libLiteRtDispatch_Vendor.so"
KERNELS = {"gpu": "LITERT_CL", "npu": "DispatchDelegate", "xnnpack": "TfLiteXNNPackDelegate"}
ABSENT = {
    "gpu": "WARNING: [gpu_registry.cc:168] GPU accelerator could not be loaded and registered.",
    "npu": "WARNING: [npu_registry.cc:34] NPU accelerator could not be loaded and registered: kLiteRtStatusNotFound.",
}
SOURCE = "./litert/tools/benchmark_litert_model.h"


@dataclass(frozen=True)
class Taken:
    """What a delegate took of the graph."""

    backend: str
    nodes: int


@dataclass(frozen=True)
class Samples:
    """Microseconds of both phases."""

    warmup: tuple[int, ...]
    runs: tuple[int, ...]


def main(argv: Sequence[str], runtime: Runtime, program: str, mark: bytes = MARK) -> int:
    """Run the tool; those of SILENT and OLDEST say nothing of what ran where, whatever they are given."""
    runtime.out("INFO: STARTING!\n")
    known = {name: value for name, value in FLAGS.items() if name not in LACKS.get(mark, ())}
    given = dict(word.removeprefix("--").partition("=")[::2] for word in argv)
    if "help" in given:
        runtime.err(f"usage: {program} <flags>\nFlags:\n")
        runtime.err("".join(f"\t--{name}={value}\tstring\toptional\t{name}\n" for name, value in known.items()))
        return 0
    unknown = [word for word in argv if word.removeprefix("--").partition("=")[0] not in known]
    if unknown:
        runtime.out(f"WARN: Unconsumed cmdline flags: {' '.join(unknown)}\n")
    try:
        _benchmark(
            known | {name: value for name, value in given.items() if name in known}, runtime, silent=mark == SILENT
        )
    except ToolError as error:
        for line in error.lines:
            runtime.err(f"ERROR: {line}\n")
        runtime.err("ERROR: Benchmarking failed.\n")
        return 1
    return 0


def _benchmark(flags: dict[str, str], runtime: Runtime, *, silent: bool) -> None:
    path = flags["graph"]
    try:
        content = runtime.read(path)
    except OSError:
        raise ToolError("[benchmark_litert_model.cc:300] Failed to load model.") from None
    model = runtime.model(path, content)
    taken, outputs = _compile(flags, len(model.operators), runtime)
    if not silent:
        _tell(taken, len(model.operators), runtime)
    main_backend = taken[0].backend if taken else "cpu"
    threads = max(int(flags["num_threads"]), 1)
    session = runtime.prepare(model, Execution(main_backend, threads, (), (), outputs))
    runtime.out(f"INFO: The input model file size (MB): {g(len(content) / 1e6)}\n")
    runtime.out(f"INFO: Initialized session in {g(session.init_us / 1000)}ms.\n")
    if flags.get(RUNTIME_INFO) and not silent:
        _write(runtime, flags[RUNTIME_INFO], _graph(model, taken))
    warmup = _phase(flags, session, "warmup_runs", "warmup_min_secs", runtime)
    samples = Samples(warmup, _phase(flags, session, "num_runs", "min_secs", runtime))
    _block(flags, session, samples, runtime)
    if flags.get(RESULT):
        _write(runtime, flags[RESULT], _result(flags, model, session, samples))


def _compile(flags: dict[str, str], nodes: int, runtime: Runtime) -> tuple[list[Taken], Outputs]:
    taken: list[Taken] = []
    outputs, left = Outputs.RIGHT, nodes
    for backend in ("npu", "gpu"):
        if flags[f"use_{backend}"] == "true":
            how = _there(backend, flags, runtime)
            count = {Behaviour.FULL: left, Behaviour.PARTIAL: int(left * how.share)}.get(how.behaviour, 0)
            if count:
                taken.append(Taken(backend, count))
                outputs, left = how.outputs, left - count
    if flags["use_cpu"] == "false" and flags["require_full_delegation"] == "true":
        if left:
            raise ToolError("[compiled_model.cc:1088] Some ops are not accelerated. Add kLiteRtHwAcceleratorCpu.")
    elif left:
        taken.append(Taken("xnnpack", left))
    return taken, outputs


def _tell(taken: Sequence[Taken], of: int, runtime: Runtime) -> None:
    for one in taken:
        runtime.err(
            f"VERBOSE: Replacing {one.nodes} out of {of} node(s) with delegate ({KERNELS[one.backend]}) node, "
            f"yielding 1 partitions for subgraph 0 (main).\n"
        )
        of -= one.nodes - 1


def _there(backend: str, flags: dict[str, str], runtime: Runtime) -> Delegate:
    how: Delegate = getattr(runtime.delegates, backend)
    if backend == "npu" and how.behaviour is not Behaviour.ABSENT:
        try:
            runtime.read(f"{flags['dispatch_library_path']}/{DISPATCH}")
        except OSError:
            how = Delegate(Behaviour.ABSENT)
    if how.behaviour is Behaviour.ABSENT:
        runtime.err(f"{ABSENT[backend]}\n")
    if how.behaviour is Behaviour.FAILING:
        raise ToolError(
            "[dispatch_delegate.cc:131] Failed to create a dispatch delegate kernel: No usable Dispatch runtime found"
            if backend == "npu"
            else "[compiled_model.cc:1030] Failed to modify graph with delegate"
        )
    return how


def _phase(flags: dict[str, str], session: Session, runs: str, secs: str, runtime: Runtime) -> tuple[int, ...]:
    samples: list[int] = []
    spent_s = 0.0
    while (len(samples) < int(flags[runs]) or spent_s < float(flags[secs])) and spent_s <= float(flags["max_secs"]):
        samples.append(session.invoke())
        spent_s += samples[-1] / 1e6
    runtime.out(f"INFO: {statistics(samples)}\n\n")
    return tuple(samples)


def _block(flags: dict[str, str], session: Session, samples: Samples, runtime: Runtime) -> None:
    memory = session.memory()
    ms = [value / 1000 for value in samples.runs]
    peak = flags["report_peak_memory_footprint"] == "true"
    average = mean(ms)
    spread = (sum((value - average) ** 2 for value in ms) / len(ms)) ** 0.5
    lines = [
        "Signature name:       serving_default",
        f"Model initialization: {session.init_us / 1000:.2f} ms",
        f"Warmup (first):       {samples.warmup[0] / 1000:.2f} ms",
        f"Warmup (avg):         {mean(samples.warmup) / 1000:.2f} ms ({len(samples.warmup)} runs)",
        f"Inference (avg):      {average:.2f} ms ({len(ms)} runs)",
        f"Inference (min):      {min(ms):.2f} ms",
        f"Inference (max):      {max(ms):.2f} ms",
        f"Inference (std):      {spread:.2f}",
        f"Throughput:           {71.4:.2f} MB/s",
        "\nMemory Usage:",
        f"Init footprint:       {memory.init_mb:.2f} MB",
        f"Overall footprint:    {memory.overall_mb:.2f} MB",
        f"Peak memory:          {memory.peak_mb:.2f} MB"
        if peak
        else "Peak memory usage not available. (peak_mem_mb <= 0)",
        "======================================\n",
    ]
    runtime.err(f"INFO: [{SOURCE}:91] \n========== BENCHMARK RESULTS ==========\n")
    for number, line in enumerate(lines, 92):
        runtime.err(f"INFO: [{SOURCE}:{number}] {line}\n")


def _result(flags: dict[str, str], model: Model, session: Session, samples: Samples) -> bytes:
    runs, memory = sorted(samples.runs), session.memory()
    average = mean(runs)
    spread = (sum((value - average) ** 2 for value in runs) / len(runs)) ** 0.5
    values = (average, runs[0], runs[-1], spread, *(percentile(runs, share) for share in (0.5, 0.05, 0.95)))
    latencies = (*values, session.init_us, samples.warmup[0], mean(samples.warmup))
    kilobytes = (round(memory.init_mb * 1024), round(memory.overall_mb * 1024))
    peak = memory.peak_mb if flags["report_peak_memory_footprint"] == "true" else 0.0
    counts = (len(model.content) / 1e6, len(runs), len(samples.warmup))
    return encode("", tuple(value / 1000 for value in latencies), (*kilobytes, peak), counts)


def _graph(model: Model, taken: Sequence[Taken]) -> bytes:
    """What the delegates took, and the operators that are left."""
    left = model.operators[sum(one.nodes for one in taken) :]
    return encoded([*((KERNELS[one.backend], one.nodes) for one in taken), *(operator.kind for operator in left)])


def _write(runtime: Runtime, path: str, content: bytes) -> None:
    """The tool says that it could not, and goes on."""
    try:
        runtime.write(path, content)
    except OSError:
        runtime.err(f"ERROR: [{SOURCE}:190] Failed to save benchmark result to: {path}\n")
