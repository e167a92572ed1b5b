"""`make check` on this machine: runs whose files do the same work, and a file with a tenth more of it.

    python -m tests.benchmarks.gate same --runs 7         # 21 pairs of runs
    python -m tests.benchmarks.gate slower --times 20     # RERUN=1, so many times

Beside it stands the usual practice: one process of each, their means, and a threshold of 5 %.
"""

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from ai_edge_litert import schema_py_generated as schema

from common.artifact import read
from common.cli import run
from common.ledger import read_lines
from common.provenance import ROOT
from common.schema.benchmark import RunLine
from common.schema.budget import Check
from common.schema.outcome import Measured
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

# A layer takes some 30 µs here, and its kernel stays in a core's own cache. Layers of one width share their fate: a
# process whose memory lies badly is a quarter slower than the next one, where widths that vary take the mean.
SIDE, WIDTHS, KERNEL, LAYERS = 8, (39, 47, 41, 57, 45, 53, 43, 51, 37, 55), 3, 30
THRESHOLD = 0.05
EXPERIMENT = """
title = "Gate"
reference = "reference"
[benchmark]
backends = ["xnnpack"]
budget = "60s"
min_secs = 0.1
warmup_min_secs = 0.1
profile = false
[variants.reference]
file = "reference.tflite"
[variants.file]
file = "file.tflite"
"""


def layers(count: int, mark: float) -> bytes:
    """So many convolutions after each other; `mark` tells files apart that do the same."""
    widths = [WIDTHS[place % len(WIDTHS)] for place in range(count + 1)]
    shapes = [(after, KERNEL, KERNEL, before) for before, after in pairwise(widths)]
    kernels = [np.full(shape, 0.9 / np.prod(shape[1:]), np.float32) for shape in shapes]
    biases = [np.full(after, mark, np.float32) for after in widths[1:]]
    names = [tensor(f"image{place}", (1, SIDE, SIDE, width), "FLOAT32") for place, width in enumerate(widths)]
    names += [tensor(f"w{place}", shape, "FLOAT32", 1 + place) for place, shape in enumerate(shapes)]
    names += [tensor(f"b{place}", each.shape, "FLOAT32", 1 + count + place) for place, each in enumerate(biases)]
    steps = [_convolution((place, count + 1 + place, 2 * count + 1 + place), place + 1) for place in range(count)]
    buffers = [each.tobytes() for each in (*kernels, *biases)]
    return packed(model([graph(names, steps, (0,), (count,))], ["CONV_2D"], buffers))


def _convolution(sources: tuple[int, int, int], result: int) -> Any:
    """Of an image, a kernel and a bias, with stride 1 and padded to the same size."""
    made = operator(0, sources, (result,))
    made.builtinOptionsType, made.builtinOptions = schema.BuiltinOptions.Conv2DOptions, schema.Conv2DOptionsT()
    made.builtinOptions.strideH = made.builtinOptions.strideW = 1
    made.builtinOptions.dilationHFactor = made.builtinOptions.dilationWFactor = 1
    return made


def made(folder: Path, count: int, mark: float) -> Path:
    """A run of a reference and a file of `count` layers."""
    folder.mkdir(parents=True)
    (folder / "reference.tflite").write_bytes(layers(LAYERS, 0.5))
    (folder / "file.tflite").write_bytes(layers(count, mark))
    (folder / "gate.toml").write_text(EXPERIMENT, encoding="utf-8")
    make("all", EXPERIMENT=folder / "gate.toml", RUN=folder / "run")
    return folder / "run"


def make(*goals: str, **variables: object) -> int:
    """The exit status of make; a check that fails has another one than 0."""
    named = [f"{name}={value}" for name, value in {"RUNTIME": "local", **variables}.items()]
    return subprocess.run(["make", *goals, *named], cwd=ROOT, env=os.environ, capture_output=True).returncode


def checked(base: Path, head: Path, budgets: Path, **more: object) -> str:
    """What `make check` says of the file."""
    make("check", BASE=base, HEAD=head, BUDGETS=budgets, **more)
    found = read(head / "check" / "check.json", Check)
    [each] = [each for each in found.checked if each.variant == "file"]
    return f"{each.status}: {each.text}"


def one_process(run_: Path, variant: str) -> float:
    """The mean of the first process."""
    lines = read_lines(run_ / "benchmark" / "host" / "ledger.jsonl")
    found = (x for x in lines if isinstance(x, RunLine) and x.cell.variant == variant)
    return next(x.outcome.steady.mean_us for x in found if isinstance(x.outcome, Measured))


def usual(before: float, now: float) -> bool:
    """Whether the usual practice calls it a regression."""
    return now > before * (1 + THRESHOLD)


def same(runs: Annotated[int, typer.Option(min=2)] = 7) -> None:
    """Runs whose file differs in its bytes and does the same work: how many pairs are called a regression?"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "budgets.toml").write_text("[[budget]]\nregression = 0\n", encoding="utf-8")
        done = [made(folder / str(number), LAYERS, 0.25 + number / 100) for number in range(runs)]
        words, theirs = Counter[str](), 0
        for base, head in combinations(done, 2):
            told = checked(base, head, folder / "budgets.toml")
            words[told.partition(":")[0]] += 1
            theirs += usual(one_process(base, "file"), one_process(head, "file"))
            print(told, flush=True)
    print(f"{sum(words.values())} pairs: {dict(words)}; usual practice: {theirs} regressions")


def slower(times: Annotated[int, typer.Option(min=1)] = 20, budget: str = "2m") -> None:
    """A file with a tenth more layers, measured in turns with the one before: how often is it found?"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "budgets.toml").write_text("[[budget]]\nregression = 0\n", encoding="utf-8")
        base, head = made(folder / "base", LAYERS, 0.25), made(folder / "head", LAYERS + LAYERS // 10, 0.25)
        words, theirs = Counter[str](), 0
        for _ in range(times):
            shutil.rmtree(head / "rerun", ignore_errors=True)
            told = checked(base, head, folder / "budgets.toml", RERUN=1, BUDGET=budget)
            words[told.partition(":")[0]] += 1
            again = head / "rerun"
            theirs += usual(one_process(again, "base-file"), one_process(again, "head-file"))
            print(told, flush=True)
    print(f"{times} times: {dict(words)}; usual practice: {theirs} regressions")


if __name__ == "__main__":
    run(same, slower)
