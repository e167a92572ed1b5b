"""When `make` needs a phone and when it does not: stand-ins behind the real adb server, a finished model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.e2e.conftest import Make
from tests.given import adding

__all__ = ["adb_server", "stand_in", "stand_ins"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def chosen(tmp_path: Path, stand_in: StandIn) -> dict[str, object]:
    (tmp_path / "tool").write_bytes(fake_binary())
    (tmp_path / "other").write_bytes(fake_binary(size=8192))
    (tmp_path / "model.tflite").write_bytes(adding())
    return {
        "MODELS": tmp_path / "model.tflite",
        "RUN": tmp_path / "run",
        "DEVICE": stand_in.serial,
        "BENCHMARK_BINARY": tmp_path / "tool",
    }


def test_what_was_measured_needs_no_phone(
    make: Make, adb_server: AdbServer, stand_in: StandIn, chosen: dict[str, object], tmp_path: Path
) -> None:
    env = adb_server.address | {"EDGEPROOF_LOCKS": str(tmp_path / "locks")}
    first = make("all", env=env, **chosen)
    assert first.stdout.splitlines()[0].startswith("devices ")
    stand_in.stop()
    adb_server.adb("disconnect", stand_in.serial)
    again = make("all", env=env, **chosen).stdout
    assert "Nothing to do" in again and "cannot be asked now: what was measured on it is taken as it is" in again
    # Another tool is another measurement, which needs it.
    other = make("all", env=env, check=False, **{**chosen, "BENCHMARK_BINARY": tmp_path / "other"})
    assert other.returncode == 2
    assert f"error: {stand_in.serial}: failed to connect" in other.stdout, other.stdout
    assert "benchmark " not in other.stdout.partition("error: ")[0]


def test_two_names_of_one_phone_are_refused_at_once(
    make: Make, adb_server: AdbServer, stand_ins: Callable[..., StandIn], chosen: dict[str, object], tmp_path: Path
) -> None:
    phone = stand_ins()
    second = f"localhost:{phone.port}"
    assert adb_server.connect(second).startswith("connected")
    env = adb_server.address | {"EDGEPROOF_LOCKS": str(tmp_path / "locks")}
    done = make("all", env=env, check=False, **{**chosen, "DEVICE": "host", "DEVICES": f"{phone.serial} {second}"})
    assert done.returncode == 2
    [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    words = f"DEVICES names one phone 2 times: {phone.serial} and {second}"
    assert line == f"error: {words} (name it once, best as {phone.serial})"
    assert not (tmp_path / "run").exists()
    adb_server.adb("disconnect", second)
