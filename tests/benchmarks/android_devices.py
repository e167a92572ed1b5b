"""What edgeproof adds around benchmark_model on a device: per process, per segment, per push, and with several devices;
and how long a frozen one goes unnoticed.

    .venv/bin/python -m tests.benchmarks.android_devices

Stand-ins behind the real adb server on this machine, so that the link costs next to nothing: the figures are
edgeproof's and adb's own.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median

from common.adb.errors import TimeLimitError, TransportError
from common.adb.server import Device, Server
from common.artifact import file_ref, write_model
from common.provenance import ROOT
from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark.targets.android import android
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.artifacts import write_experiment
from tests.devices.adb_server import AdbServer
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import Recording, fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.benchmark.android.conftest import EXPERIMENT
from tests.unit.report.factories import variant

PROCESSES = 40
PUSH_BYTES = 32_000_000
FREEZE_AFTER_S = (0.2, 0.6, 1.0, 1.4, 1.8, 2.2)
DEVICES = 4
RECORDED = ROOT / "tests" / "data" / "benchmark_model" / "baseline" / "c_noxnn"
# What that run took: its warm-up and its steady state.
RECORDED_S = 1.6


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "adb").mkdir()
        server = stack.enter_context(AdbServer(folder / "adb"))
        os.environ.update(server.environment, EDGEPROOF_LOCKS=str(folder / "locks"))
        phones = [stack.enter_context(StandIn()) for _ in range(DEVICES)]
        for phone in phones:
            server.connect(phone.serial)
        (folder / "tool").write_bytes(fake_binary())
        _overhead(phones[0], folder)
        _push(server, phones[0], folder)
        _parallel(phones, folder)
        _frozen(phones[0])


def _overhead(phone: StandIn, folder: Path) -> None:
    model = folder / "model.tflite"
    model.write_bytes(fake_model(size=2_000_000))
    cell = Cell(variant="model", model_sha256="0" * 64, backend="cpu", threads=1)
    settings = Settings(backends=("cpu",), num_runs=1, min_secs=0.0, warmup_min_secs=0.0)
    taken = []
    with android(phone.serial, "overhead", DeviceOptions(binary=folder / "tool"), settings) as target:
        for _ in range(PROCESSES + 1):
            start = time.perf_counter()
            target.measure(model, cell, settings, folder / "log")
            taken.append(1000 * (time.perf_counter() - start))
        start = time.perf_counter()
        for _ in range(PROCESSES):
            target.state()
        state = 1000 * (time.perf_counter() - start) / PROCESSES
    print(f"the state before a segment: {state:.1f} ms")
    print(f"overhead per process after the first: median {median(taken[1:]):.1f} ms, most {max(taken[1:]):.1f} ms")
    print(f"the first process, with the push of 2 MB: {taken[0]:.1f} ms")


def _push(server: AdbServer, phone: StandIn, folder: Path) -> None:
    source = folder / "blob"
    source.write_bytes(os.urandom(PUSH_BYTES))
    ours, theirs = [], []
    device = Device(Server(), phone.serial)
    for _ in range(3):
        start = time.perf_counter()
        device.push(source, "/data/local/tmp/blob", 0o644, 60)
        ours.append(PUSH_BYTES / 1e6 / (time.perf_counter() - start))
        start = time.perf_counter()
        server.adb("push", str(source), "/data/local/tmp/blob", serial=phone.serial)
        theirs.append(PUSH_BYTES / 1e6 / (time.perf_counter() - start))
    print(f"push: {median(ours):.0f} MB/s, adb push {median(theirs):.0f} MB/s")


def _parallel(phones: list[StandIn], folder: Path) -> None:
    text = EXPERIMENT.format(backends=["cpu"], rounds=3, more="").replace("'", '"')
    experiment = write_experiment(folder, text, "two")
    for seed, (name, recipe) in enumerate(experiment.settings.recipes.items()):
        place = folder / "variants" / name
        place.mkdir(parents=True)
        (place / f"{name}.tflite").write_bytes(fake_model(seed))
        made = variant(name, recipe).model_copy(update={"model": file_ref(place / f"{name}.tflite", place)})
        write_model(place / "variant.json", made)
    stdout, stderr = (RECORDED.with_suffix(suffix).read_bytes() for suffix in (".stdout", ".stderr"))
    for phone in phones:
        phone.replay(Recording("--graph", stdout, stderr, 0, RECORDED_S))
    one = _timed(phones[:1], folder, "one")
    all_of_them = _timed(phones, folder, "all")
    print(f"1 device {one:.1f} s, {len(phones)} devices {all_of_them:.1f} s: {all_of_them / one:.2f} times")


def _frozen(phone: StandIn) -> None:
    """From the moment at which a phone freezes in the middle of a process to the line that says so."""
    said: list[float] = []
    device = Device(Server(), phone.serial, lambda silent_s: said.append(time.perf_counter()) if silent_s else None)
    waited = []
    for after_s in FREEZE_AFTER_S:
        said.clear()
        device.run(["true"])
        moments: list[float] = []

        def freeze(moments: list[float] = moments) -> None:
            moments.append(time.perf_counter())
            phone.arm(Fault(Kind.FROZEN))

        timer = threading.Timer(after_s, freeze)
        timer.start()
        with suppress(TransportError, TimeLimitError):
            device.run(["sleep", "9"], 9)
        waited.append(said[0] - moments[0])
        phone.heal()
        while not device.answers():
            time.sleep(0.1)
        time.sleep(1)
    print(f"a frozen phone is announced after {min(waited):.1f} to {max(waited):.1f} s")


def _timed(phones: list[StandIn], folder: Path, name: str) -> float:
    argv = [sys.executable, "-m", "jobs.benchmark", "--experiment", str(folder / "two.toml")]
    argv += ["--variants", str(folder / "variants"), "--binary", str(folder / "tool"), "--output", str(folder / name)]
    argv += ["--devices", " ".join(phone.serial for phone in phones)]
    start = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
