"""A whole run on disk without training: real files, real data, real stages, and places to measure on that only pretend.

What the places print is written as the classic tool prints it, logs included, and is read by the same parser.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

import numpy as np

from common.artifact import write_bytes
from common.experiment import LoadedExperiment, load
from common.run.layout import run_folders
from common.schema.benchmark import Cell, Runner
from common.schema.environment import Environment
from common.schema.examination import Examination, Operator
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Outcome
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.android import classic
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.stage import benchmark
from jobs.benchmark.targets import Reading
from jobs.choose.stage import choose
from jobs.dataset.stage import build_dataset
from jobs.evaluate.answers import evaluate_answers
from jobs.evaluate.stage import evaluate
from jobs.inputs.stage import sample
from jobs.report.stage import report
from tests.given import adopted, scaled_dense
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

SIDE = 16
SMALL = 40
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
# A tool's words around its figures; the delegate's own sentence stands where it ran.
FIGURES = (
    "INFO: count={count} first={first:.0f} curr={us:.0f} min={us:.0f} max={first:.0f} avg={us:.3f} std=3 "
    "p5={us:.0f} median={us:.0f} p95={p95:.0f}\n\n"
)
TOLD = (
    "INFO: STARTING!\n{delegate}INFO: Initialized session in 1.25ms.\n{warmup}{steady}"
    "INFO: Inference timings in us: Init: 1250, First inference: {first:.0f}, Warmup (avg): {us:.3f}, "
    "Inference (avg): {us:.3f}\n"
    "INFO: Memory footprint delta from the start of the tool (MB): init=1.5 overall={mib:.4f}\n"
)
DELEGATES = {
    "xnnpack": ("XNNPACK", "TfLiteXNNPackDelegate"),
    "gpu": ("GPU", "TfLiteGpuDelegateV2"),
    "nnapi": ("NNAPI", "TfLiteNnapiDelegate"),
}
SAID = "INFO: Explicitly applied {name} delegate, and the model graph will be completely executed by the delegate.\n"
TAKEN = "INFO: Replacing 2 out of 2 node(s) with delegate ({kernel}) node, yielding 1 partitions for subgraph 0.\n"


def classifier(seed: int, hidden: int) -> bytes:
    """Two dense layers for images [1, 16, 16, 3] that look at the brightness of both halves, nearly; two scores."""
    chance = np.random.default_rng(seed)
    inside = SIDE * SIDE * 3
    first = (chance.normal(0, 0.05, (hidden, inside)) + 1 / inside).astype(np.float32)
    last = (chance.normal(0, 1 / hidden, (2, hidden))).astype(np.float32)
    tensors = (
        tensor("image", (1, SIDE, SIDE, 3), "FLOAT32"),
        tensor("first", first.shape, "FLOAT32", 1),
        tensor("bias", (hidden,), "FLOAT32", 2),
        tensor("inner", (1, hidden), "FLOAT32"),
        tensor("last", last.shape, "FLOAT32", 3),
        tensor("bias2", (2,), "FLOAT32", 4),
        tensor("scores", (1, 2), "FLOAT32"),
    )
    operators = (operator(0, (0, 1, 2), (3,)), operator(0, (3, 4, 5), (6,)))
    zeros = np.zeros(hidden, np.float32).tobytes(), np.zeros(2, np.float32).tobytes()
    buffers = [first.tobytes(), zeros[0], last.tobytes(), zeros[1]]
    return packed(model([graph(tensors, operators, (0,), (6,))], ["FULLY_CONNECTED"], buffers))


class Place:
    """A device that pretends, on a clock of its own: latencies by the seed, with noise, a log for every process."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.chance = name, random.Random(seed)  # noqa: S311
        self.moment = BEGIN
        self.speed = 1 + seed / 3

    def environment(self) -> Environment:
        facts = (("Serial", self.name), ("Android", "15"), ("Tool", "benchmark_model (classic)"))
        return Environment(
            kind="android", name=f"Phone ({self.name})", fingerprint=sha256(self.name.encode()).hexdigest(),
            functional_only=False, facts=facts, serial=self.name,
        )  # fmt: skip

    def runners(self, backend: str) -> tuple[Runner, ...]:
        return ("binary",)

    def measure(self, file: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        return Reading(self._process(cell, log))

    def memory(self, file: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        return self._process(cell, log)

    def _process(self, cell: Cell, log: Path) -> Outcome:
        own = 900 + 100 * (int(cell.model_sha256[:4], 16) % 11) + 10 * len(cell.backend)
        us = own * self.speed * self.chance.lognormvariate(0, 0.01)
        told = {"us": round(us), "first": round(1.4 * us), "p95": round(1.1 * us), "mib": 4 + self.chance.random()}
        name, kernel = DELEGATES.get(cell.backend, ("", ""))
        delegate = SAID.format(name=name) if name else ""
        phases = {word: FIGURES.format(count=count, **told) for word, count in (("warmup", 20), ("steady", 50))}
        stdout, stderr = TOLD.format(delegate=delegate, **phases, **told), TAKEN.format(kernel=kernel) if name else ""
        text = "\n".join(("+ tool --graph=x", stdout, "--- stderr", stderr, "--- 0\n"))
        write_bytes(log, text.encode())
        self.moment += timedelta(seconds=1.5)
        return classic.parse(Printed(stdout, stderr, 0, f"{log.parent.name}/{log.name}"), cell.backend)

    def examine(self, file: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        operators = tuple(Operator(kind=k, count=1, mean_us=7.25, share=0.5, delegated=False) for k in ("FC", "ADD"))
        return Examination(operators=operators)

    def unfed(self, cell: Cell) -> str | None:
        return None

    def power(self, at_s: float) -> PowerReading | None:
        return None

    def state(self) -> DeviceState | None:
        return None

    def thermal_status(self) -> int | None:
        return None

    def now(self) -> datetime:
        return self.moment

    def wait(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Whole:
    """A run that was made."""

    run: Path
    path: Path
    experiment: LoadedExperiment


def whole_run(
    folder: Path,
    *,
    images: bool = True,
    variants: int = 3,
    devices: Sequence[str] = ("one",),
    backends: Sequence[str] = ("cpu", "xnnpack"),
    rounds: int = 2,
    hidden: int = 8,
) -> Whole:
    """Make a run of so many given files in `folder`."""
    names = ["baseline", *(f"v{number:02d}" for number in range(1, variants))]
    for number, name in enumerate(names):
        content = classifier(number, hidden) if images else scaled_dense(1 + number / 1000)
        (folder / f"{name}.tflite").write_bytes(content)
    tables = "".join(f'[variants.{name}]\nfile = "{name}.tflite"\n' for name in names)
    data = f'[data]\nsource = "synthetic-flames"\nsynthetic_images = 120\nheight = {SIDE}\nwidth = {SIDE}\n'
    listed = ", ".join(f'"{backend}"' for backend in backends)
    measured = f"[benchmark]\nbackends = [{listed}]\nrounds = {rounds}\nmost_rounds = {rounds}\nprofile = true\n"
    path = folder / "whole.toml"
    path.write_text(f'title = "Whole"\nseed = 5\n{data if images else ""}{measured}{tables}', encoding="utf-8")
    made = Whole(folder / "run", path, load(path))
    _make(made, devices)
    return made


def _make(whole: Whole, devices: Sequence[str]) -> None:
    run, experiment = whole.run, whole.experiment
    names, asked = list(experiment.settings.variants), run / ("dataset" if experiment.settings.has_images else "inputs")
    for name in names:
        adopted(experiment, name, run / "variants" / name)
    if experiment.settings.has_images:
        build_dataset(experiment, asked)
    else:
        sample(experiment, run / "variants" / names[0], asked)
    judge = evaluate if experiment.settings.has_images else evaluate_answers
    for name in names:
        reference = None if name == names[0] else run / "evaluation" / names[0]
        judge(experiment, run / "variants" / name, asked, reference, run / "evaluation" / name)
    samples = None if experiment.settings.has_images else asked
    for number, name in enumerate(devices):
        place = Place(name, number)
        with patch("jobs.benchmark.stage.busy_cores", return_value=0.0):
            benchmark(experiment, run / "variants", place, run / "benchmark" / name, samples=samples, clock=place)
    targets = [f"Phone ({name})" for name in devices]
    folders = run_folders(run, experiment.settings, targets)
    choose(experiment, folders, run / "best")
    report(experiment, whole.path, folders, run / "best", run / "report")
