"""The first run on a device as a user starts it: what it needs is fetched by itself, and recorded nowhere else."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from common.artifact import read
from common.binaries import Binary, Lock, read_lock, render
from common.provenance import ROOT
from common.schema.results import Latency, Results
from common.used_binaries import uses
from tests.container.conftest import BUILD_TIMEOUT_S
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.given import adding
from tests.publisher import Answer, Publisher, publisher

__all__ = ["adb_server", "stand_in", "stand_ins"]
pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_S)
NIGHTLY = "/nightly/latest/tool"


@pytest.fixture
def served() -> Iterator[Publisher]:
    with publisher() as found:
        yield found


@pytest.fixture
def checkout(served: Publisher, tmp_path: Path) -> Path:
    """A copy of this one whose tool is published on loopback."""
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("jobs", "common", "docker", "requirements", "reports"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for name in ("Makefile", "graph.mk", "pyproject.toml", ".dockerignore"):
        shutil.copy(ROOT / name, root)
    (root / ".venv").symlink_to((ROOT / ".venv").resolve())
    tool = Binary(name="tool", tool="benchmark_model", dialect="classic", abi="arm64-v8a", url=served.address + NIGHTLY)
    (root / "docker" / "adb" / "binaries.toml").write_text(render(Lock(binary=(tool,))), encoding="utf-8")
    (root / "model.tflite").write_bytes(adding())
    return root


@dataclass(frozen=True)
class Runs:
    """`make all` in a checkout, of one model."""

    checkout: Path
    server: AdbServer

    def __call__(self, device: str, runtime: str = "local") -> "subprocess.CompletedProcess[str]":
        argv = ("make", "all", "MODELS=model.tflite", "RUN=run", f"RUNTIME={runtime}", f"DEVICE={device}")
        env = {**os.environ, **self.server.address, "EDGEPROOF_LOCKS": str(self.checkout / "locks")}
        return subprocess.run(argv, cwd=self.checkout, env=env, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)


@pytest.mark.slow
def test_the_tool_comes_by_itself_and_nothing_is_measured_twice(
    checkout: Path, served: Publisher, adb_server: AdbServer, stand_in: StandIn
) -> None:
    lock = checkout / "docker" / "adb" / "binaries.toml"
    before, results, cache = lock.read_bytes(), checkout / "run/report/results.json", checkout / ".cache" / "binaries"
    make = partial(Runs(checkout, adb_server), stand_in.serial)
    # Nobody has it: that is said before anything is made.
    refused = make()
    assert refused.returncode == 2, refused.stderr
    assert f"error: {served.address}{NIGHTLY}: the publisher has no such file any more" in refused.stderr
    assert not (checkout / "run" / "variants").exists()
    served.url(NIGHTLY, Answer(fake_binary(), cuts=1))
    done = make()
    assert done.returncode == 0, done.stderr
    assert "note: downloading tool from 127.0.0.1" in done.stderr
    assert "4096 bytes, sha256" in done.stderr
    assert lock.read_bytes() == before
    [use] = uses(cache).values()
    assert {type(each.result) for each in read(results, Results).measurements} == {Latency}
    # The same again, also with another build at the address, and without any: what is here is what counts.
    for answer in (Answer(fake_binary(size=5000)), Answer(status=404)):
        served.url(NIGHTLY, answer)
        again = make()
        assert "Nothing to do" in again.stdout, again.stdout + again.stderr
    # And pinned it is the same build still.
    pin = ("make", "lock-binaries")
    assert subprocess.run(pin, cwd=checkout, capture_output=True, timeout=60).returncode == 0
    assert use.sha256.encode() in lock.read_bytes()
    assert "Nothing to do" in make().stdout
    # Without the copies and their record what is pinned is what counts; the build that is there now is another one.
    lock.write_bytes(before)
    shutil.rmtree(cache)
    assert "Nothing to do" in make().stdout
    served.publish(NIGHTLY, fake_binary(size=5000))
    session = read(results, Results).measurements[0]
    shutil.rmtree(checkout / "run" / "variants")
    anew = make()
    assert anew.returncode == 0, anew.stderr
    [other] = uses(cache).values()
    assert other.sha256 != use.sha256 == hashlib.sha256(fake_binary()).hexdigest()
    assert session not in read(results, Results).measurements
    assert "Nothing to do" in make().stdout


@pytest.mark.container
@pytest.mark.usefixtures("files_image", "adb_image")
def test_containers_get_the_tool_and_this_machine_needs_none(
    checkout: Path, served: Publisher, adb_server: AdbServer, stand_in: StandIn
) -> None:
    make, cache = Runs(checkout, adb_server), checkout / ".cache" / "binaries"
    served.publish(NIGHTLY, fake_binary())
    done = make(stand_in.serial, "docker")
    assert done.returncode == 0, done.stderr
    [use] = uses(cache).values()
    assert served.asked == [NIGHTLY]
    target = read(checkout / "run/report/results.json", Results).targets[0]
    assert use.sha256[:12] in dict(target.facts)["Tool"]
    assert "Nothing to do" in make(stand_in.serial, "docker").stdout
    # Pinned, and replaced by its publisher: of whoever has no copy, runs on devices end, and no others.
    lock = checkout / "docker" / "adb" / "binaries.toml"
    pinned = read_lock(lock).binary[0].model_copy(update={"sha256": "0" * 64, "size_bytes": 1})
    lock.write_text(render(Lock(binary=(pinned,))), encoding="utf-8")
    here = make("host", "docker")
    assert here.returncode == 0, here.stderr
    refused = make(stand_in.serial, "docker")
    assert refused.returncode == 2
    assert "is not what was recorded" in refused.stderr
