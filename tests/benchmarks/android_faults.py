"""Faults on order, one per run, and what became of the rows: none may be lost, doubled or wrong.

    .venv/bin/python -m tests.benchmarks.android_faults 1000

Each run measures two variants on plain kernels and the GPU of a stand-in and meets one fault of a random kind at a
random place. What the fault cost is measured again by later runs, as `make all` would.
"""

import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from common.artifact import file_ref, write_model
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.schema.benchmark import Benchmark, Row, RunLine, SessionLine, Summary
from common.schema.outcome import Measured, Unsupported
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.open import measure_on
from jobs.benchmark.targets.wishes import Wishes
from tests.artifacts import write_experiment
from tests.devices.adb_server import AdbServer
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.benchmark.android.conftest import EXPERIMENT
from tests.unit.report.factories import variant

SEED = 11
TOOL = "--graph"
MOST_RUNS = 6
# The stand-in's GPU is four times as fast as its plain kernels; a fallback would be seen.
LEAST_GAIN = 2.0
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


def main(count: int) -> None:
    """Inject `count` faults and print what became of them. Raises AssertionError for a row that is not right."""
    generator = random.Random(SEED)  # noqa: S311
    fired: Counter[str] = Counter()
    runs: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "adb").mkdir()
        server = stack.enter_context(AdbServer(folder / "adb"))
        os.environ.update(server.environment, EDGEPROOF_LOCKS=str(folder / "locks"))
        experiment = _prepare(folder)
        start = time.perf_counter()
        while fired.total() < count:
            fault = generator.choice(FAULTS)
            if fault.place is not Point.NOW:
                fault = replace(fault, skip=generator.randrange(4))
            with StandIn() as phone:
                server.connect(phone.serial)
                runs[_one(phone, server, fault, experiment, folder)] += 1
                fired.update(f.kind.value for f in phone.phone.faults.fired)
                server.adb("disconnect", phone.serial)
    print(f"{fired.total()} faults in {time.perf_counter() - start:.0f} s: {dict(sorted(fired.items()))}")
    print(f"runs until everything was measured: {dict(sorted(runs.items()))}; no row lost, doubled or wrong")


def _one(phone: StandIn, server: AdbServer, fault: Fault, experiment: LoadedExperiment, folder: Path) -> int:
    phone.arm(fault)
    output = folder / f"out-{time.time_ns()}"
    wishes = Wishes(binary=folder / "tool", patience_s=5.0, slack_s=1.0)
    for number in range(1, MOST_RUNS + 1):
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, ExitStack() as quiet:
            quiet.enter_context(contextlib.redirect_stdout(nowhere))
            quiet.enter_context(contextlib.redirect_stderr(nowhere))
            quiet.enter_context(contextlib.suppress(EdgeproofError))
            result = measure_on(
                phone.serial, experiment, variants=folder / "variants", dataset=None, output=output, wishes=wishes
            )
            if all(_is_right(row, fault) for row in result.rows):
                _check(result, output)
                return number
        phone.heal()
        server.connect(phone.serial)
    raise AssertionError(f"{fault} was never overcome")


def _is_right(row: Row, fault: Fault) -> bool:
    # A phone whose GPU declines in the only round there is has none, as far as anyone can tell.
    declined = fault.kind is Kind.SILENT_FALLBACK and row.cell.backend == "gpu" and isinstance(row.result, Unsupported)
    return declined or (isinstance(row.result, Summary) and not row.failed_rounds)


def _check(result: Benchmark, output: Path) -> None:
    lines = Ledger(output / "ledger.jsonl").lines
    orders = Counter((line.session, line.order) for line in lines if isinstance(line, RunLine))
    assert set(orders.values()) == {1}, "a row is there twice"
    sessions = [line for line in lines if isinstance(line, SessionLine)]
    assert sum(len(line.cells) for line in sessions) == len(orders), "a row is lost"
    latency = {(row.cell.variant, row.cell.backend): row.result for row in result.rows}
    for line in lines:
        if isinstance(line, RunLine) and line.cell.backend == "gpu" and isinstance(line.outcome, Measured):
            plain = latency[line.cell.variant, "cpu"]
            assert isinstance(plain, Summary)
            assert line.outcome.steady.mean_us * LEAST_GAIN < plain.latency_us, "a fallback is a GPU figure"


def _prepare(folder: Path) -> LoadedExperiment:
    (folder / "tool").write_bytes(fake_binary())
    text = EXPERIMENT.format(backends=["cpu", "gpu"], rounds=1, more="").replace("'", '"')
    experiment = write_experiment(folder, text.replace("max_secs = 1.0", "max_secs = 0.5"), "two")
    for seed, (name, recipe) in enumerate(experiment.settings.variants.items()):
        place = folder / "variants" / name
        place.mkdir(parents=True)
        (place / f"{name}.tflite").write_bytes(fake_model(seed))
        made = variant(name, recipe).model_copy(update={"model": file_ref(place / f"{name}.tflite", place)})
        write_model(place / "variant.json", made)
    return experiment


if __name__ == "__main__":
    main(int(sys.argv[1]))
