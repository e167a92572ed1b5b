"""Large .tflite files, made up, and the time and memory of `python -m jobs.inspect --no-ask` on each.

    python -m tests.benchmarks.large_files <folder> [name ...]

Writes `<folder>/<name>.tflite` (1.6 GB for all; those that are there are taken as they are) and prints a row for each.
Making them takes several times their size of memory, in processes of their own.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.benchmarks.inspect_cost import cost
from tests.benchmarks.inspected import MIB, SMALL
from tests.benchmarks.spent import ROOT
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

SIDE = 4096


def _values(kind: str, side: int, random: np.random.Generator) -> bytes:
    if kind == "INT4":
        return random.integers(0, 256, side * side // 2, np.uint8).tobytes()
    drawn = random.standard_normal((side, side), np.float32)
    return drawn.tobytes() if kind == "FLOAT32" else np.clip(np.round(drawn * 30), -127, 127).astype(np.int8).tobytes()


def dense(
    kind: str, kernels: int, signatures: int = 1, table: tuple[int, int] | None = None, side: int = SIDE
) -> bytes:
    """Dense layers in a row, whose kernels all signatures share, and a table of floats that no operator reads."""
    random = np.random.default_rng(0)
    buffers = [_values(kind, side, random) for _ in range(kernels)]
    if table is not None:
        buffers.append(random.standard_normal(table, np.float32).tobytes())
    scales = [] if kind == "FLOAT32" else [0.1] * side
    graphs = []
    for rows in range(1, signatures + 1):
        tensors, steps = [tensor("x", (rows, side), "FLOAT32")], []
        for number in range(kernels):
            tensors.append(tensor(f"w{number}", (side, side), kind, number + 1, scales=scales))
            tensors.append(tensor(f"y{number}", (rows, side), "FLOAT32"))
            steps.append(operator(0, (2 * number, 2 * number + 1, -1), (2 * number + 2,)))
        if table is not None:
            tensors.append(tensor("table", table, "FLOAT32", kernels + 1))
        graphs.append(graph(tensors, steps, (0,), (2 * kernels,)))
    return packed(model(graphs, ["FULLY_CONNECTED"], buffers))


def sparse() -> bytes:
    """A dense layer of 4096 x 16384, 2400 values in each row, stored by these."""
    random = np.random.default_rng(0)
    columns, kept = 4 * SIDE, 2400
    step = columns // kept
    places = random.integers(0, step, (SIDE, kept)) + np.arange(kept) * step
    kernel = tensor("k", (SIDE, columns), "FLOAT32", 1)
    kernel.sparsity = schema.SparsityParametersT()
    kernel.sparsity.traversalOrder, kernel.sparsity.blockMap = [0, 1], []
    rows, inside = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize = schema.DimensionType.DENSE, SIDE
    inside.format = schema.DimensionType.SPARSE_CSR
    inside.arraySegments, inside.arraySegmentsType = _vector("Int32", np.arange(SIDE + 1, dtype=np.int32) * kept)
    inside.arrayIndices, inside.arrayIndicesType = _vector("Uint16", places.astype(np.uint16).ravel())
    kernel.sparsity.dimMetadata = [rows, inside]
    ends = [tensor("d", (SIDE, columns), "FLOAT32"), tensor("y", (1, SIDE), "FLOAT32")]
    parts = [tensor("x", (1, columns), "FLOAT32"), kernel, *ends]
    steps = [operator(0, (1,), (2,)), operator(1, (0, 2, -1), (3,))]
    data = random.standard_normal(SIDE * kept, np.float32).tobytes()
    return packed(model([graph(parts, steps, (0,), (3,))], ["DENSIFY", "FULLY_CONNECTED"], [data]))


def _vector(kind: str, values: Any) -> tuple[Any, int]:
    made = getattr(schema, f"{kind}VectorT")()
    made.values = values
    return made, int(getattr(schema.SparseIndexVector, f"{kind}Vector"))


FILES: dict[str, Callable[[], bytes]] = {
    "float32": lambda: dense("FLOAT32", 6),
    "int8": lambda: dense("INT8", 24),
    "int4 seven signatures": lambda: dense("INT4", 30, 7),
    "table without channels": lambda: dense("FLOAT32", 1, 1, (81920, 1024)),
    "sparse": sparse,
    # For inspect_cost.py, of the size of a large model for phones.
    "float25": lambda: dense("FLOAT32", 6, side=1024),
}


def main(folder: Path, names: list[str]) -> None:
    """Print a row per file."""
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "jobs.inspect", "--no-ask"]
    base = min(cost([*argv, str(SMALL)]).peak_bytes for _ in range(3))
    print("| file | MB | processor, s | memory beyond a small file's, times the file |")
    print("| --- | ---: | ---: | ---: |")
    for name in names or FILES:
        path = (folder / f"{name}.tflite").resolve()
        if not path.exists():
            subprocess.run([sys.executable, "-m", __spec__.name, "--write", str(folder), name], cwd=ROOT, check=True)
        took, size = cost([*argv, str(path)]), path.stat().st_size
        print(f"| {name} | {size / 1e6:.0f} | {took.cpu_s:.1f} | {(took.peak_bytes - base) / size:.2f} |", flush=True)
    print(f"a small file takes {base / MIB:.0f} MiB")


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        (Path(sys.argv[2]) / f"{sys.argv[3]}.tflite").write_bytes(FILES[sys.argv[3]]())
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
