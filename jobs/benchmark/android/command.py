"""The command line of `benchmark_model`. Pure.

Flags: tflite/tools/benchmark (classic) and litert/tools (LiteRT 2.x). Only `--name=value` is parsed.
"""

import re
from collections.abc import Sequence
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
# Full delegation, because this tool does not say what a delegate left to the CPU.
LITERT_FLAGS = {
    "xnnpack": ("--use_cpu=true",),
    "gpu": ("--use_gpu=true", "--use_cpu=false", "--require_full_delegation=true"),
}
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
    return LITERT_LACKS.get(backend) if kind is Dialect.LITERT else None


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


def peak_flags(help_text: str) -> tuple[str, ...]:
    """The flags that make a tool tell its peak memory; none for one that does not know them."""
    return (f"--{PEAK}=true",) if re.search(rf"^[ \t]*--{PEAK}=", help_text, re.MULTILINE) else ()


def _seconds(value: float) -> str:
    return f"{value:g}"
