"""Faults on order, one per run, and what became of the rows: none may be lost, doubled or wrong.

    .venv/bin/python -m tests.benchmarks.android_faults 1000

Each run measures two variants on plain kernels and the GPU of a stand-in and meets one trouble of a random kind at a
random place. What the trouble cost is measured again by later runs, as `make all` would. Where the GPU answers wrongly,
every row of the GPU must say so and no other.
"""

import contextlib
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.artifact import file_ref, write_model
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.schema.benchmark import (
    Benchmark,
    Row,
    RunLine,
    Summary,
)
from common.schema.outcome import Measured, Unsupported
from jobs.benchmark.feeds import Material
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.stage import benchmark
from jobs.benchmark.targets.android import android
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.artifacts import write_experiment
from tests.devices import tiny_model
from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Outputs
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.benchmark.android.conftest import EXPERIMENT
from tests.unit.report.factories import variant

SEED = 11
TOOL = "--graph"
MOST_RUNS = 6
IMAGES = 12
# The stand-in's GPU is four times as fast as its plain kernels; a fallback would be seen.
LEAST_GAIN = 2.0
# About as long as a run takes, so that the server is restarted anywhere in it.
LATEST_RESTART_S = 1.5


@dataclass(frozen=True)
class Trouble:
    """What a run meets: faults of the phone, a restarted adb server, or both."""

    faults: tuple[Fault, ...] = ()
    restart: bool = False

    @property
    def kinds(self) -> set[Kind]:
        """Of the phone's faults."""
        return {fault.kind for fault in self.faults}


FAULTS = (
    Fault(Kind.VANISH, Point.SHELL, seconds=0.3),
    Fault(Kind.VANISH, Point.SHELL, matching=TOOL, after_bytes=300, seconds=0.3),
    Fault(Kind.VANISH, Point.PUSH, after_bytes=1000, seconds=0.3),
    Fault(Kind.VANISH, Point.SHELL, matching=TOOL),
    Fault(Kind.UNAUTHORIZED, Point.SHELL, seconds=0.3),
    Fault(Kind.OFFLINE, Point.SHELL, seconds=0.3),
    Fault(Kind.FROZEN, Point.SHELL, seconds=0.3),
    Fault(Kind.NO_SHELL_V2, Point.SHELL, seconds=0.5),
    Fault(Kind.SLOW_LINK, seconds=0.5),
    Fault(Kind.DISK_FULL, Point.PUSH, after_bytes=1000, seconds=0.5),
    Fault(Kind.LOGCAT_FLOOD, lines=500),
    Fault(Kind.CRASH, matching=TOOL),
    Fault(Kind.CRASH, matching=TOOL, after_bytes=700),
    Fault(Kind.HANG, matching=TOOL),
    Fault(Kind.SILENT_FALLBACK, matching="use_gpu"),
    Fault(Kind.THROTTLE, matching=TOOL),
    Fault(Kind.GARBAGE, matching=TOOL),
    Fault(Kind.TRUNCATED, matching=TOOL, after_bytes=1100),
)
ANSWERING_GPU = r"(?=.*--use_gpu=true)(?=.*--output_filepath)"
TROUBLES = (
    *(Trouble((fault,)) for fault in FAULTS),
    # What outlives its shell is only met by the run after the link broke.
    Trouble((Fault(Kind.SURVIVORS), Fault(Kind.VANISH, Point.SHELL, matching=TOOL, after_bytes=300, seconds=0.3))),
    *(
        Trouble((Fault(Kind.WRONG_OUTPUTS, matching=ANSWERING_GPU, times=None, outputs=wrong),))
        for wrong in (Outputs.NAN, Outputs.CONSTANT, Outputs.SHUFFLED)
    ),
    Trouble(restart=True),
)


@dataclass(frozen=True)
class Bench:
    """Two variants to measure. With `asked` they are models that run, and their answers are compared."""

    folder: Path
    experiment: LoadedExperiment
    asked: bool

    def measure(self, serial: str, output: Path) -> Benchmark:
        """A run of the stage. Raises EdgeproofError."""
        options = DeviceOptions(binary=self.folder / "tool", patience_s=5.0, slack_s=1.0)
        shape = (IMAGES, *tiny_model.SHAPE[1:])
        images = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8) if self.asked else None
        with android(serial, str(output), options, self.experiment.settings.benchmark, Material(images)) as target:
            return benchmark(self.experiment, self.folder / "variants", target, output)


def main(count: int) -> None:
    """Cause `count` troubles and print what became of them. Raises AssertionError for a row that is not right."""
    generator = random.Random(SEED)  # noqa: S311
    met: Counter[str] = Counter()
    runs: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "adb").mkdir()
        server = stack.enter_context(AdbServer(folder / "adb"))
        os.environ.update(server.environment, EDGEPROOF_LOCKS=str(folder / "locks"))
        benches = [_prepare(folder / "plain", asked=False), _prepare(folder / "asked", asked=True)]
        start = time.perf_counter()
        while met.total() < count:
            trouble = _somewhere(generator.choice(TROUBLES), generator)
            bench = benches[Kind.WRONG_OUTPUTS in trouble.kinds]
            with StandIn() as phone:
                server.connect(phone.serial)
                delay_s = generator.uniform(0, LATEST_RESTART_S) if trouble.restart else None
                runs[_overcome(phone, server, trouble, bench, delay_s)] += 1
                fired = {f.kind.value for f in phone.phone.faults.fired} | ({"restart"} if trouble.restart else set())
                met.update(fired)
                server.adb("disconnect", phone.serial)
    print(f"{met.total()} faults in {time.perf_counter() - start:.0f} s: {dict(sorted(met.items()))}")
    print(f"runs until everything was measured: {dict(sorted(runs.items()))}; no row lost, doubled or wrong")


def _somewhere(trouble: Trouble, generator: random.Random) -> Trouble:
    def moved(fault: Fault) -> Fault:
        fixed = fault.place is Point.NOW or fault.times is None
        return fault if fixed else replace(fault, skip=generator.randrange(4))

    return replace(trouble, faults=tuple(moved(fault) for fault in trouble.faults))


def _overcome(phone: StandIn, server: AdbServer, trouble: Trouble, bench: Bench, delay_s: float | None) -> int:
    """The number of runs that it took."""
    for fault in trouble.faults:
        phone.arm(fault)
    output = bench.folder / f"out-{time.time_ns()}"
    for number in range(1, MOST_RUNS + 1):
        with _quiet(), _restarted(server, delay_s if number == 1 else None):
            result = bench.measure(phone.serial, output)
            if all(_is_right(row, trouble) for row in result.rows):
                _check(result, output)
                return number
        phone.heal()
        server.connect(phone.serial)
    raise AssertionError(f"{trouble} was never overcome")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(nowhere))
        stack.enter_context(contextlib.redirect_stderr(nowhere))
        stack.enter_context(contextlib.suppress(EdgeproofError))
        yield


@contextlib.contextmanager
def _restarted(server: AdbServer, delay_s: float | None) -> Iterator[None]:
    if delay_s is None:
        yield
        return
    timer = threading.Timer(delay_s, server.restart)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def _is_right(row: Row, trouble: Trouble) -> bool:
    on_gpu = row.cell.backend == "gpu"
    if Kind.WRONG_OUTPUTS in trouble.kinds:
        found = row.examination and row.examination.outputs
        if not found or (found.wrong is not None) != on_gpu:
            return False
    # A phone whose GPU declines in the only round there is has none, as far as anyone can tell.
    declined = Kind.SILENT_FALLBACK in trouble.kinds and on_gpu and isinstance(row.result, Unsupported)
    return declined or (isinstance(row.result, Summary) and not row.failed_rounds)


def _check(result: Benchmark, output: Path) -> None:
    lines = Ledger(output / "ledger.jsonl").lines
    orders = Counter((line.session, line.order) for line in lines if isinstance(line, RunLine))
    assert set(orders.values()) == {1}, "a row is there twice"
    sessions = Ledger(output / "ledger.jsonl").index.sessions.values()
    assert all(session.sound and session.rounds == 1 for session in sessions), "a row is lost"
    latency = {(row.cell.variant, row.cell.backend): row.result for row in result.rows}
    for line in lines:
        if isinstance(line, RunLine) and line.cell.backend == "gpu" and isinstance(line.outcome, Measured):
            plain = latency[line.cell.variant, "cpu"]
            assert isinstance(plain, Summary)
            assert line.outcome.steady.mean_us * LEAST_GAIN < plain.latency_us, "a fallback is a GPU figure"


def _prepare(folder: Path, *, asked: bool) -> Bench:
    folder.mkdir()
    (folder / "tool").write_bytes(fake_binary())
    more = f"outputs_images = {IMAGES}" if asked else ""
    text = EXPERIMENT.format(backends=["cpu", "gpu"], rounds=1, more=more).replace("'", '"')
    experiment = write_experiment(folder, text.replace("max_secs = 1.0", "max_secs = 0.5"), "two")
    for seed, (name, recipe) in enumerate(experiment.settings.recipes.items()):
        place = folder / "variants" / name
        place.mkdir(parents=True)
        (place / f"{name}.tflite").write_bytes(tiny_model.PATH.read_bytes() if asked else fake_model(seed))
        made = variant(name, recipe).model_copy(update={"model": file_ref(place / f"{name}.tflite", place)})
        write_model(place / "variant.json", made)
    return Bench(folder, experiment, asked)


if __name__ == "__main__":
    main(int(sys.argv[1]))
