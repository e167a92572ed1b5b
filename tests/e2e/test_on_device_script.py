"""The script of CI's emulator job, on a stand-in that answers like its image, behind the real adb server and client."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.artifact import read
from common.provenance import ROOT
from common.schema.results import Latency, Results
from tests.devices.adb_server import AdbServer, adb_binary
from tests.devices.fixtures import adb_server, stand_ins
from tests.devices.named import NamedServer
from tests.devices.phone.personality import load
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.given import adding

__all__ = ["adb_server", "stand_ins"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SERIAL = "emulator-5554"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A folder with a finished model instead of the demo's training, the Arm tool, its app, and adb for PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(adb_binary())
    (tmp_path / "tool").write_bytes(fake_binary("arm64-v8a"))
    (tmp_path / "app.apk").write_bytes(b"PK\x03\x04")
    (tmp_path / "model.tflite").write_bytes(adding())
    return tmp_path


def run(job: Path, server: NamedServer) -> "subprocess.CompletedProcess[str]":
    """As the emulator action does: a line of its script, in the workspace."""
    own = {
        "ANDROID_SERIAL": SERIAL,
        "EMULATOR_PORT": "5554",
        "GITHUB_STEP_SUMMARY": str(job / "summary.md"),
        "RUNNER_TOOL_CACHE": str(job / "tools"),
        "EDGEPROOF_LOCKS": str(job / "locks"),
        "MODELS": str(job / "model.tflite"),
        "RUN": str(job / "run"),
        "BENCHMARK_BINARY": str(job / "tool"),
        "BENCHMARK_APK": str(job / "app.apk"),
        "PATH": f"{job / 'bin'}:{os.environ['PATH']}",
    }
    return subprocess.run(
        ["sh", "-c", ".github/on-device.sh"],
        cwd=ROOT,
        env={**os.environ, **server.address, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_an_image_whose_kernel_starts_arm_programs(
    job: Path, adb_server: AdbServer, stand_ins: Callable[..., StandIn]
) -> None:
    phone = stand_ins(replace(load("emulator"), starts=()))
    with NamedServer(adb_server.port, {SERIAL: phone.serial}) as server:
        done = run(job, server)
        assert done.returncode == 0, done.stdout
        assert "restarting adbd as root" in done.stdout
        assert "emulator: functional only, Arm builds are tried" in done.stdout
        results = read(job / "run" / "report" / "results.json", Results)
        assert results.targets[0].functional_only
        assert all(isinstance(m.result, Latency) for m in results.measurements)
        assert "functional only" in (job / "summary.md").read_text(encoding="utf-8")
        # The second attempt of the job measures nothing again.
        assert "Nothing to do" in run(job, server).stdout


def test_an_image_whose_translator_is_for_apps(
    job: Path, adb_server: AdbServer, stand_ins: Callable[..., StandIn]
) -> None:
    phone = stand_ins("emulator")
    with NamedServer(adb_server.port, {SERIAL: phone.serial}) as server:
        done = run(job, server)
        assert done.returncode == 0, done.stdout
        assert f"note: {SERIAL} starts no Arm program" in done.stdout
        results = read(job / "run" / "report" / "results.json", Results)
        found = {(m.runner, m.result.kind) for m in results.measurements}
        assert found == {("binary", "unsupported"), ("app", "latency")}
        assert "this device starts no Arm program" in (job / "summary.md").read_text(encoding="utf-8")
        assert "Nothing to do" in run(job, server).stdout


def test_an_image_that_runs_nothing_of_ours_is_one_line(
    job: Path, adb_server: AdbServer, stand_ins: Callable[..., StandIn]
) -> None:
    kind = load("emulator")
    properties = {**kind.properties, "ro.product.cpu.abilist": "x86_64,x86", "ro.dalvik.vm.native.bridge": "0"}
    phone = stand_ins(replace(kind, properties={**properties, "ro.debuggable": "0"}))
    with NamedServer(adb_server.port, {SERIAL: phone.serial}) as server:
        done = run(job, server)
    assert done.returncode != 0
    assert "adbd cannot run as root in production builds" in done.stdout
    [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert f"{SERIAL}: BENCHMARK_BINARY={job / 'tool'} is for arm64-v8a, the device runs x86_64, x86" in line
    assert (job / "summary.md").read_text(encoding="utf-8") == f"No report: see {job / 'run'}/logs.\n"
