"""Faults on order, one per run, and what became of the rows: none may be lost, doubled or wrong.

    .venv/bin/python -m tests.benchmarks.android_faults 1000 [WORKERS]

Each run measures two variants on a stand-in, on plain kernels and the GPU, or on plain kernels natively and as an app,
and meets one trouble of a random kind at a random place. What the trouble cost is measured again by later runs, as
`make all` would. Where the GPU answers wrongly, every row of the GPU must say so and no other. After every run nothing
of ours is on the phone, unless it said so, and the last line of a run that did not measure everything says what to do.
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
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing import get_context
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
from jobs.benchmark.android.app import Patience
from jobs.benchmark.android.reading import Waits
from jobs.benchmark.dispatch import last_words
from jobs.benchmark.feeds import Material
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.stage import benchmark
from jobs.benchmark.targets.android import android
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.artifacts import write_experiment
from tests.devices import tiny_model
from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Apps, Outputs
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.benchmark.android.conftest import EXPERIMENT, on_the_phone
from tests.unit.report.factories import variant

SEED = 11
TOOL = "--graph"
MOST_RUNS = 6
IMAGES = 12
# The stand-in's GPU is four times as fast as its plain kernels; a fallback would be seen.
LEAST_GAIN = 2.0
# About as long as a run takes, so that the server is restarted anywhere in it.
LATEST_RESTART_S = 1.5
SLACK_S = 3.0
# What has the number of a process that just ended is gone a moment later.
SETTLED_S = 20.0


@dataclass(frozen=True)
class Trouble:
    """What a run meets: faults of the phone, a restarted adb server, or both; `app`: it only befalls an app."""

    faults: tuple[Fault, ...] = ()
    restart: bool = False
    app: bool = False

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
    Fault(Kind.REBOOT, matching=TOOL, seconds=0.3, boot_s=0.3),
    Fault(Kind.REBOOT, seconds=0.3, boot_s=0.3),
    Fault(Kind.HOTPLUG, Point.SHELL, cores=(4, 5), seconds=1.0),
    Fault(Kind.SLOW, seconds=1.0),
    Fault(Kind.CRASH, matching=TOOL),
    Fault(Kind.CRASH, matching=TOOL, after_bytes=700),
    Fault(Kind.HANG, matching=TOOL),
    Fault(Kind.SILENT_FALLBACK, matching="use_gpu"),
    Fault(Kind.THROTTLE, matching=TOOL),
    Fault(Kind.GARBAGE, matching=TOOL),
    Fault(Kind.TRUNCATED, matching=TOOL, after_bytes=1100),
)
STAY_ON = "global/stay_on_while_plugged_in"
APP = "org.tensorflow.lite.benchmark"
APP_S = Patience(install_s=3.0, look_s=0.5, waits=Waits(first_word_s=3.0, error_s=1.0, figure_s=2.0, crash_s=1.0))
FOREIGN = (
    "E tflite Failed to apply XNNPACK delegate.",
    "I tflite Replacing 12 out of 14 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions.",
    "I tflite Memory footprint delta from the start of the tool (MB): init=1 overall=2",
    "F DEBUG pid: 2167, tid: 2167, name: gms  >>> com.google.android.gms <<<",
    "F DEBUG signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000008",
    "E AndroidRuntime Process: com.google.android.gms, PID: 2167",
)
APP_FAULTS = (
    Fault(Kind.VANISH, Point.SHELL, matching="logcat.*threadtime", after_bytes=500, seconds=0.3),
    Fault(Kind.VANISH, Point.SHELL, matching="am.*start", seconds=0.3),
    Fault(Kind.VANISH, Point.SHELL, matching="pm.*install", seconds=0.3),
    Fault(Kind.VANISH, Point.SHELL, matching="am.*start"),
    Fault(Kind.VANISH, Point.SHELL, matching="pm.*uninstall", seconds=0.3),
    Fault(Kind.CRASH, matching=APP),
    Fault(Kind.CRASH, matching=APP, signal=6),
    Fault(Kind.CRASH, matching=APP, signal=9),
    Fault(Kind.JAVA_CRASH, matching=APP),
    Fault(Kind.HANG, matching=APP),
    Fault(Kind.GARBAGE, matching=APP),
    Fault(Kind.TRUNCATED, matching=APP, after_bytes=1100),
    Fault(Kind.APPS, apps=Apps(refusal="INSTALL_FAILED_USER_RESTRICTED: Install canceled by user")),
    Fault(Kind.APPS, apps=Apps(refusal="INSTALL_FAILED_VERIFICATION_FAILURE")),
    Fault(Kind.APPS, apps=Apps(least_target_sdk=24)),
    Fault(Kind.APPS, apps=Apps(least_target_sdk=24, knows_bypass=False)),
    Fault(Kind.APPS, apps=Apps(answers=False)),
    Fault(Kind.APPS, apps=Apps(shown=False)),
    Fault(Kind.APPS, apps=Apps(shown=False), seconds=1.0),
    Fault(Kind.APPS, apps=Apps(clears=False, beside=FOREIGN)),
    Fault(Kind.APPS, apps=Apps(complaint=("E Falling back to OpenGL", "E Some error of which nobody knows."))),
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
APP_TROUBLES = (
    *(Trouble((fault,), app=True) for fault in APP_FAULTS),
    Trouble((Fault(Kind.APPS, apps=Apps(clears=False)), replace(APP_FAULTS[0], skip=1)), app=True),
    Trouble((Fault(Kind.SURVIVORS), APP_FAULTS[0]), app=True),
    Trouble(restart=True, app=True),
    *(Trouble((fault,), app=True) for fault in FAULTS if fault.kind in (Kind.VANISH, Kind.FROZEN, Kind.DISK_FULL)),
)


@dataclass(frozen=True)
class Bench:
    """Two variants to measure. With `asked` they are models that run, and their answers are compared."""

    folder: Path
    experiment: LoadedExperiment
    asked: bool

    def measure(self, serial: str, output: Path) -> Benchmark:
        """A run of the stage. Raises EdgeproofError."""
        options = DeviceOptions(
            binary=self.folder / "tool", apk=self.folder / "app.apk", app=APP_S, patience_s=5.0, slack_s=SLACK_S
        )
        shape = (IMAGES, *tiny_model.SHAPE[1:])
        images = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8) if self.asked else None
        with android(serial, str(output), options, self.experiment.settings.benchmark, Material(images)) as target:
            return benchmark(self.experiment, self.folder / "variants", target, output)


def main(count: int, workers: int = 1) -> None:
    """Cause `count` troubles and print what became of them. Raises AssertionError for what is not right."""
    start = time.perf_counter()
    met: Counter[str] = Counter()
    runs: Counter[int] = Counter()
    shares = [count // workers + (number < count % workers) for number in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for found, took in pool.map(_cause, shares, range(workers)):
            met += found
            runs += took
    print(f"{met.total()} faults in {time.perf_counter() - start:.0f} s: {dict(sorted(met.items()))}")
    print(f"runs until everything was measured: {dict(sorted(runs.items()))}; no row lost, doubled or wrong,")
    print("nothing left on a phone, and every run that did not measure everything ended with what to do")


def _cause(count: int, worker: int) -> tuple[Counter[str], Counter[int]]:
    """A worker's share: the faults by kind, and how many runs each took."""
    generator = random.Random(f"{SEED} {worker}")  # noqa: S311
    met: Counter[str] = Counter()
    runs: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "adb").mkdir()
        server = stack.enter_context(AdbServer(folder / "adb"))
        os.environ.update(server.environment, EDGEPROOF_LOCKS=str(folder / "locks"))
        plain = _prepare(folder / "plain", ("cpu", "gpu"), "")
        asked = _prepare(folder / "asked", ("cpu", "gpu"), f"outputs_images = {IMAGES}")
        as_app = _prepare(folder / "app", ("cpu",), "app = true")
        while met.total() < count:
            trouble = _somewhere(generator.choice(TROUBLES if generator.random() < 0.5 else APP_TROUBLES), generator)
            bench = as_app if trouble.app else asked if Kind.WRONG_OUTPUTS in trouble.kinds else plain
            begun = time.perf_counter()
            with StandIn() as phone:
                server.connect(phone.serial)
                delay_s = generator.uniform(0, LATEST_RESTART_S) if trouble.restart else None
                runs[_overcome(phone, server, trouble, bench, delay_s)] += 1
                fired = {f.kind.value for f in phone.phone.faults.fired} | ({"restart"} if trouble.restart else set())
                met.update(fired)
                server.adb("disconnect", phone.serial)
            took = f"{time.perf_counter() - begun:.0f} s, {[fault.kind.value for fault in trouble.faults]}"
            print(f"worker {worker}: {met.total()} of {count}, {took}", file=sys.stderr, flush=True)
    return met, runs


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
        said = StringIO()
        with _restarted(server, delay_s if number == 1 else None):
            result = _run(bench, phone.serial, output, said)
        _require_clean(phone, said.getvalue(), trouble)
        if result is not None and all(_is_right(row, trouble) for row in result.rows):
            _check(result, output)
            return number
        _require_told(said.getvalue(), trouble)
        phone.heal()
        server.connect(phone.serial)
    raise AssertionError(f"{trouble} was never overcome: {said.getvalue()}")


def _run(bench: Bench, serial: str, output: Path, said: StringIO) -> Benchmark | None:
    """A run as the command line has it, down to its last line; None for one that ended with an error."""
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            result = bench.measure(serial, output)
        except EdgeproofError as error:
            print(f"error: {error}")
            return None
        print(last_words(result, output))
        return result


def _require_clean(phone: StandIn, said: str, trouble: Trouble) -> None:
    """Nothing of ours is on the phone, unless the run said that it had to leave it."""
    if any(words in said for words in ("was left on the device", "did not come back", "keeps the settings")):
        return
    deadline = time.monotonic() + SETTLED_S
    while (found := _of_ours(phone)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not found, f"{trouble} left {found}: {said}"


def _of_ours(phone: StandIn) -> list[str]:
    apps = [f"{APP} is running" for process in phone.phone.processes if process.argv[0] == APP]
    screen = ["the screen is kept on"] if STAY_ON in phone.phone.state.settings else []
    return [*on_the_phone(phone), *apps, *screen, *(name for name in phone.phone.state.packages if name == APP)]


def _require_told(said: str, trouble: Trouble) -> None:
    """The last line says what to do: an error its hint, in brackets, a run with failed rows that it goes on."""
    last = said.splitlines()[-1]
    told = last.endswith(")") if last.startswith("error: ") else "the next run measures them again" in last
    assert told, f"{trouble} ended without what to do: {said}"


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


def _prepare(folder: Path, backends: tuple[str, ...], more: str) -> Bench:
    folder.mkdir()
    (folder / "tool").write_bytes(fake_binary())
    (folder / "app.apk").write_bytes(b"PK\x03\x04app")
    asked = "outputs_images" in more
    text = EXPERIMENT.format(backends=list(backends), rounds=1, more=more).replace("'", '"')
    experiment = write_experiment(folder, text.replace("max_secs = 1.0", "max_secs = 0.5"), "two")
    for seed, (name, recipe) in enumerate(experiment.settings.recipes.items()):
        place = folder / "variants" / name
        place.mkdir(parents=True)
        (place / f"{name}.tflite").write_bytes(tiny_model.PATH.read_bytes() if asked else fake_model(seed))
        made = variant(name, recipe).model_copy(update={"model": file_ref(place / f"{name}.tflite", place)})
        write_model(place / "variant.json", made)
    return Bench(folder, experiment, asked)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]))
