"""Whether two files answer alike: both run on the same random inputs, in a process of their own.

    python -m jobs.inspect.outputs first.tflite second.tflite

A file from anywhere may bring the runtime down, and must not bring the tool down with it.
"""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.provenance import ROOT
from common.schema.inspection import OutputDifference

SAMPLES, SEED = 32, 0
# Seconds for all samples of both files.
TIMEOUT_S = 300
# Values of an input; more would not be an image.
LARGEST_INPUT = 2**26


def difference(first: Path, second: Path) -> tuple[OutputDifference | None, str | None]:
    """How much the outputs differ, or why the files were not run. The files' ports must agree."""
    argv = [sys.executable, "-m", "jobs.inspect.outputs", str(first.resolve()), str(second.resolve())]
    try:
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return None, f"they took longer than {TIMEOUT_S} s"
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"the runtime ended with status {done.returncode}"]
        return None, f"LiteRT cannot run them: {last[0]}"
    return OutputDifference.model_validate_json(done.stdout.strip().splitlines()[-1]), None


def measure(first: Path, second: Path) -> OutputDifference:
    """Run both. Raises RuntimeError or ValueError, LiteRT's own or for an input too large."""
    from ai_edge_litert.interpreter import Interpreter

    runners = [Interpreter(str(path)) for path in (first, second)]
    for runner in runners:
        runner.allocate_tensors()
    shapes = [tuple(port["shape"]) for port in runners[0].get_input_details()]
    if any(math.prod(int(side) for side in shape) > LARGEST_INPUT for shape in shapes):
        raise ValueError("an input is too large to be filled")
    random = np.random.default_rng(SEED)
    largest, same, rows = 0.0, 0, 0
    for _ in range(SAMPLES):
        inputs = [random.random(shape, dtype=np.float32) for shape in shapes]
        before, after = (_run(runner, inputs) for runner in runners)
        for old, new in zip(before, after, strict=True):
            largest = max(largest, float(np.abs(old - new).max(initial=0)))
        tops = [np.argmax(np.atleast_1d(found[0]), axis=-1).ravel() for found in (before, after)]
        same, rows = same + int((tops[0] == tops[1]).sum()), rows + len(tops[0])
    return OutputDifference(
        samples=SAMPLES, seed=SEED, max_abs_difference=largest, same_top1=same / rows if rows else 1.0
    )


def _run(runner: Any, inputs: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float64]]:
    # The runtime is loaded in the process of its own only.
    from common.tflite.predict import dequantise, quantise

    for port, values in zip(runner.get_input_details(), inputs, strict=True):
        runner.set_tensor(port["index"], quantise(values, port))
    runner.invoke()
    ports = runner.get_output_details()
    return [dequantise(runner.get_tensor(port["index"]), port).astype(np.float64) for port in ports]


if __name__ == "__main__":
    try:
        print(measure(Path(sys.argv[1]), Path(sys.argv[2])).model_dump_json())
    except (RuntimeError, ValueError) as error:
        sys.exit(" ".join(str(error).split()))
