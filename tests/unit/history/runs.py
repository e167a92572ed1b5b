"""Folders of runs with real ledgers: the real benchmark stage on a device that only pretends, day after day."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from common.artifact import read, sha256_file
from common.experiment import load
from common.schema.benchmark import Benchmark, Cell, Summary
from common.schema.environment import Environment
from common.schema.outcome import Outcome
from common.schema.provenance import InputRef
from jobs.benchmark.stage import benchmark
from tests.given import adopted, scaled_dense
from tests.unit.compare.runs import write
from tests.unit.report import factories as f
from tests.whole_run import BEGIN, Place

NAMES = ("baseline", "v01")
EXPERIMENT = """
title = "History"
seed = 5
[benchmark]
backends = ["xnnpack"]
rounds = 2
most_rounds = 2
"""


@dataclass(frozen=True)
class Day:
    """A session: how much slower everything is, and single files by their name; what differs of the device, the
    settings and the files."""

    slower: float = 1.0
    files_slower: Mapping[str, float] = field(default_factory=dict)
    build: str = "AP1A"
    tool: str = "a" * 12
    soc: str = "Tensor G3"
    bias: float = 0.0
    num_runs: int = 50


class OnDay(Place):
    """The device on a day. Its clock begins then."""

    def __init__(self, number: int, day: Day, name: str = "one") -> None:
        super().__init__(name, 0)
        self.chance.seed(number)
        self.moment = BEGIN + timedelta(days=number)
        self.day = day

    def environment(self) -> Environment:
        day = self.day
        facts = (
            ("Serial", self.name),
            ("System on chip", day.soc),
            ("Android", "15"),
            ("Build", day.build),
            ("Tool", day.tool),
        )
        return Environment(
            kind="android", name=f"Phone ({self.name})", fingerprint=sha256(str(facts).encode()).hexdigest(),
            functional_only=False, facts=facts, serial=self.name,
        )  # fmt: skip

    def _process(self, cell: Cell, log: Path) -> Outcome:
        self.speed = self.day.slower * self.day.files_slower.get(cell.variant, 1.0)
        return super()._process(cell, log)


@cache
def variants(bias: float) -> tuple[Path, Path]:
    """An experiment of two given files, and the folder of their variants."""
    folder = Path(mkdtemp())
    for number, name in enumerate(NAMES):
        (folder / f"{name}.tflite").write_bytes(scaled_dense(1 + number / 100, bias=bias if number else 0.0))
    tables = "".join(f'[variants.{name}]\nfile = "{name}.tflite"\n' for name in NAMES)
    path = folder / "history.toml"
    path.write_text(EXPERIMENT + tables, encoding="utf-8")
    for name in NAMES:
        adopted(load(path), name, folder / "variants" / name)
    return path, folder / "variants"


def measure(runs: Path, number: int, day: Day, name: str = "one") -> Path:
    """One run on a day, with a benchmark alone. Gives its folder."""
    path, made = variants(day.bias)
    text = path.read_text(encoding="utf-8")
    if day.num_runs != Day.num_runs:
        # The name of the file is the experiment's.
        path = path.parent / str(day.num_runs) / path.name
        path.parent.mkdir(exist_ok=True)
        for variant in NAMES:
            shutil.copy(path.parents[1] / f"{variant}.tflite", path.parent)
        path.write_text(text.replace("rounds = 2\n", f"rounds = 2\nnum_runs = {day.num_runs}\n", 1), encoding="utf-8")
    run = runs / f"day-{number:03}"
    place = OnDay(number, day, name)
    benchmark(load(path), made, place, run / "benchmark" / name, clock=place)
    return run


def history_of(runs: Path, days: Sequence[Day], name: str = "one") -> Path:
    """A folder of runs, one a day."""
    for number, day in enumerate(days):
        measure(runs, number, day, name)
    return runs


def reported(runs: Path, name: str, folder: Path) -> Path:
    """A copy of a run with a report of its latencies. Gives its folder."""
    run = folder / name
    shutil.copytree(runs / name, run)
    path = run / "benchmark" / "one" / "benchmark.json"
    benchmark_ = read(path, Benchmark)
    target = benchmark_.target
    told = InputRef(role=f"benchmark {target.name}", sha256=sha256_file(path))
    given = f.results(
        reference=benchmark_.reference,
        variants=[f.variant_result(name, 10) for name in NAMES],
        measurements=[
            f.measurement(row.cell.variant, f.latency(row.result.latency_us, None), "xnnpack", target=target.name)
            for row in benchmark_.rows
            if isinstance(row.result, Summary)
        ],
        targets=[target],
        evaluations=[],
        provenance=[f.provenance("report").model_copy(update={"inputs": (told,)})],
    )
    return write(run, given)
