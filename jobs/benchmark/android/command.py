"""The command line of `benchmark_model`. Pure.

Flags: tflite/tools/benchmark (classic) and litert/tools (LiteRT 2.x). Only `--name=value` is parsed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark as Settings

CLASSIC_FLAGS = {
    "cpu": ("--use_xnnpack=false",),
    # Without the flag XNNPACK runs all the same, but the tool does not say how much of the model it took.
    "xnnpack": ("--use_xnnpack=true",),
    "gpu": ("--use_gpu=true",),
    "nnapi": ("--use_nnapi=true",),
    "hexagon": ("--use_hexagon=true",),
}
LITERT_FLAGS = {
    "xnnpack": ("--use_cpu=true",),
    "gpu": ("--use_gpu=true",),
    "npu": ("--use_npu=true",),
}
# Of a build that does not write what ran where: that nothing was left to the CPU is then the proof.
FULL_DELEGATION = ("--use_cpu=false", "--require_full_delegation=true")
# What it writes beside its output, by the flag that names the file.
RESULT, RUNTIME_INFO = "result_file_path", "model_runtime_info_output_file"
CLASSIC_LACKS = {"npu": "the classic tool has no NPU: that takes the tool of LiteRT 2.x"}
LITERT_LACKS = {
    "cpu": "the LiteRT 2.x tool cannot switch XNNPACK off",
    "nnapi": "the LiteRT 2.x tool has no NNAPI",
    "hexagon": "the LiteRT 2.x tool has no Hexagon delegate",
}


PEAK = "report_peak_memory_footprint"


class Dialect(StrEnum):
    """The two programs that carry the name `benchmark_model`."""

    CLASSIC = "classic"
    LITERT = "LiteRT 2.x"


def dialect(help_text: str) -> Dialect | None:
    """Which of them it is, by the flags that it lists; None for neither."""
    flags = set(re.findall(r"^[ \t]*--(\w+)=", help_text, re.MULTILINE))
    if {"use_npu", "use_cpu"} & flags:
        return Dialect.LITERT
    return Dialect.CLASSIC if {"use_xnnpack", "use_gpu", "use_nnapi"} & flags else None


def lacks(kind: Dialect, backend: str) -> str | None:
    """Why this tool cannot run a backend at all; None when it can."""
    return (LITERT_LACKS if kind is Dialect.LITERT else CLASSIC_LACKS).get(backend)


def flag_of(kind: Dialect, backend: str) -> str | None:
    """The flag that asks for a backend; None where the tool has none."""
    flags = (LITERT_FLAGS if kind is Dialect.LITERT else CLASSIC_FLAGS).get(backend)
    return flags[0].removeprefix("--").partition("=")[0] if flags else None


def arguments(kind: Dialect, cell: Cell, settings: Settings, graph: str, libraries: str) -> tuple[str, ...]:
    """The flags for one timed process; `libraries` is the folder with Hexagon's on the device."""
    return (
        f"--graph={graph}",
        *delegate_flags(kind, cell, settings, libraries),
        f"--warmup_runs={settings.warmup_runs}",
        f"--warmup_min_secs={_seconds(settings.warmup_min_secs)}",
        f"--num_runs={settings.num_runs}",
        f"--min_secs={_seconds(settings.min_secs)}",
        f"--max_secs={_seconds(settings.max_secs)}",
    )


def delegate_flags(kind: Dialect, cell: Cell, settings: Settings, libraries: str) -> tuple[str, ...]:
    """Threads, backend and the experiment's own flags for it."""
    known = LITERT_FLAGS if kind is Dialect.LITERT else CLASSIC_FLAGS
    return (
        f"--num_threads={cell.threads}",
        *known[cell.backend],
        # The app adds its own folder by itself, and the tool takes no flag twice.
        *((f"--hexagon_lib_path={libraries}",) if cell.backend == "hexagon" and cell.runner != "app" else ()),
        *settings.extra_flags.get(cell.backend, ()),
    )


Fed = Sequence[tuple[str, tuple[int, ...], str]]


def inputs(fed: Fed) -> tuple[str, ...]:
    """The flags that give every input its shape and the file of its bytes: tensor, shape and path of each.

    A colon in a tensor's name is doubled in `input_layer_value_files`, and only there.
    """
    return (
        "--input_layer=" + ",".join(tensor for tensor, _, _ in fed),
        "--input_layer_shape=" + ":".join(",".join(map(str, shape)) for _, shape, _ in fed),
        "--input_layer_value_files=" + ",".join(f"{tensor.replace(':', '::')}:{path}" for tensor, _, path in fed),
    )


def one_run(graph: str, fed: Fed, written: str) -> tuple[str, ...]:
    """The flags that answer inputs from files once and write the outputs to another."""
    return (
        f"--graph={graph}",
        *("--num_runs=1", "--min_secs=0", "--warmup_runs=0", "--warmup_min_secs=0"),
        *inputs(fed),
        f"--output_filepath={written}",
    )


def profile_flags(written: str) -> tuple[str, ...]:
    """The flags that write a profile of the operators on the device."""
    return ("--enable_op_profiling=true", "--op_profiling_output_mode=csv", f"--op_profiling_output_file={written}")


def written_flags(backend: str, known: Collection[str], files: Mapping[str, str]) -> tuple[str, ...]:
    """The flags that make the LiteRT 2.x tool write its figures and what ran where to `files` (paths on the device by
    flag), as far as it knows them."""
    proof = FULL_DELEGATION if backend in ("gpu", "npu") and RUNTIME_INFO not in known else ()
    return (*proof, *(f"--{flag}={path}" for flag, path in files.items() if flag in known))


def npu_flags(libraries: str | None) -> tuple[str, ...]:
    """The flags that name the folder of an NPU's libraries on the device. What is compiled there is kept beside them,
    since it may take minutes."""
    if libraries is None:
        return ()
    return (
        f"--dispatch_library_path={libraries}",
        f"--compiler_plugin_library_path={libraries}",
        f"--compiler_cache_path={libraries}",
    )


def _seconds(value: float) -> str:
    return f"{value:g}"
