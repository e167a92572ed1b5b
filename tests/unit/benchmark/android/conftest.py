"""A benchmark on a stand-in: two variants, one round each, without TensorFlow."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.artifact import file_ref, write_model
from common.experiment import LoadedExperiment
from common.schema.benchmark import Benchmark
from jobs.benchmark.clock import Clock
from jobs.benchmark.dispatch import measure_on
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.artifacts import write_experiment
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.report.factories import variant

__all__ = ["adb_server", "stand_in", "stand_ins"]

EXPERIMENT = """
title = "Two"
seed = 3
[benchmark]
backends = {backends}
rounds = {rounds}
most_rounds = {rounds}
num_runs = 5
min_secs = 0.0
warmup_min_secs = 0.0
max_secs = 1.0
{more}
[variants.baseline]
convert = {{ format = "float32" }}
[variants.float16]
convert = {{ format = "float16" }}
"""
# Where others keep the machine busy, a phone is back late and a process takes long; nothing else waits so long.
PATIENCE_S = 60.0
SLACK_S = 30.0


@dataclass
class Bench:
    """An experiment with fake models, and where its results go."""

    folder: Path
    experiment: LoadedExperiment
    binary: Path

    @property
    def output(self) -> Path:
        """The benchmark's folder."""
        return self.folder / "out"

    def run(
        self,
        device: str,
        patience_s: float = PATIENCE_S,
        slack_s: float = SLACK_S,
        clock: Clock | None = None,
        **options: object,
    ) -> Benchmark:
        """Measure on a device in this process."""
        given = DeviceOptions(binary=self.binary, patience_s=patience_s, slack_s=slack_s)
        given = DeviceOptions(**{**given.__dict__, **options})
        return measure_on(
            device,
            self.experiment,
            variants=self.folder / "variants",
            dataset=None,
            output=self.output,
            options=given,
            clock=clock,
        )

    def argv(self, device: str) -> list[str]:
        """The command line that does the same."""
        parts = {
            "--experiment": self.folder / "two.toml",
            "--variants": self.folder / "variants",
            "--output": self.output,
            "--device": device,
            "--binary": self.binary,
        }
        return ["-m", "jobs.benchmark", *(str(word) for pair in parts.items() for word in pair)]


@pytest.fixture
def benches(tmp_path: Path) -> Callable[..., Bench]:
    """Makes benches: `benches(backends=["cpu"], rounds=2, more="profile = true", abi="armeabi-v7a")`."""

    def make(
        backends: tuple[str, ...] = ("cpu", "xnnpack"), rounds: int = 1, more: str = "", abi: str = "arm64-v8a"
    ) -> Bench:
        text = EXPERIMENT.format(backends=list(backends), rounds=rounds, more=more).replace("'", '"')
        experiment = write_experiment(tmp_path, text, "two")
        for seed, (name, recipe) in enumerate(experiment.settings.recipes.items()):
            folder = tmp_path / "variants" / name
            folder.mkdir(parents=True)
            (folder / f"{name}.tflite").write_bytes(fake_model(seed))
            model = file_ref(folder / f"{name}.tflite", folder)
            write_model(folder / "variant.json", variant(name, recipe).model_copy(update={"model": model}))
        binary = tmp_path / "benchmark_model"
        binary.write_bytes(fake_binary(abi))
        return Bench(tmp_path, experiment, binary)

    return make


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    """A bench of two variants on plain kernels and XNNPACK."""
    return benches()


@pytest.fixture(autouse=True)
def adb_environment(adb_server: AdbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process talks to the private adb server, and locks devices where nobody else looks."""
    for name, value in adb_server.address.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EDGEPROOF_LOCKS", str(tmp_path / "locks"))


# A shell whose program was ended notices that nobody listens when it prints next.
SETTLED_S = 60.0


def left_behind(device: StandIn) -> list[str]:
    """What is ours on the phone, as soon as it has settled: files and running tools."""
    deadline = time.monotonic() + SETTLED_S
    while (found := on_the_phone(device)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def on_the_phone(device: StandIn) -> list[str]:
    """What is ours on the phone at this moment."""
    running = [" ".join(p.argv) for p in device.phone.processes if "edgeproof" in " ".join(p.argv)]
    return [name for name in device.phone.files.nodes if "edgeproof" in name] + running


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A file behind http on loopback: its address, and where to put its content."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/tool", folder / "tool"
        server.shutdown()
