"""A real Docker engine, or a clear reason why there is none; the launcher as a real process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from common.provenance import ROOT
from tests.devices.fixtures import adb_server

__all__ = ["adb_server"]

DOCKER = os.environ.get("DOCKER") or "docker"
# Building both images from nothing downloads some 700 MB.
BUILD_TIMEOUT_S = 1800
RUN_TIMEOUT_S = 120
# Long enough to fetch the base image.
DOCKER_TIMEOUT_S = 300
# A user who is nobody on the machine that runs the tests.
STRANGER = 12345


def docker(*argv: str) -> str:
    """Output of a docker command that must succeed."""
    return subprocess.run([DOCKER, *argv], capture_output=True, text=True, check=True, timeout=DOCKER_TIMEOUT_S).stdout


def containers(token: str) -> list[str]:
    """Ids of the containers, running or not, whose command holds `token`."""
    listed = docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Command}}").splitlines()
    return [line.split()[0] for line in listed if token in line]


def wait_until_gone(token: str, timeout_s: float) -> None:
    """Fail unless every container whose command holds `token` is gone in time."""
    deadline = time.monotonic() + timeout_s
    while containers(token):
        assert time.monotonic() < deadline, f"still there: {docker('ps', '--all')}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Launcher:
    """`python -m jobs.launch` of a checkout, as user `owner`; `become` is the command that becomes it."""

    root: Path
    owner: int = field(default_factory=os.getuid)
    become: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """The launcher, in a process group of its own, with pipes."""
        return subprocess.Popen(
            [*self.become, sys.executable, "-m", "jobs.launch", *argv],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), **self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(
        self, *argv: str, timeout_s: float = RUN_TIMEOUT_S, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run the launcher to its end."""
        with self.start(argv, environment) as process:
            try:
                output, errors = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(argv, process.returncode, output, errors)

    def job(self, *argv: str, options: tuple[str, ...] = (), **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the adb image, which is the small one."""
        return self.call("run", "--image", "adb", *options, "--", *argv, environment=environment)


@dataclass(frozen=True)
class Built:
    """An image that the launcher made."""

    name: str
    id: str
    size_bytes: int
    base_size_bytes: int
    user: str
    labels: Mapping[str, str]


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    """The launcher of this checkout; skips without an engine, fails where CI says that there is one."""
    launcher = Launcher(ROOT)
    probe = launcher.call("probe")
    if probe.returncode == 75 and not os.environ.get("EDGEPROOF_REQUIRE_ENGINE"):
        pytest.skip(probe.stderr.strip())
    assert probe.returncode == 0, probe.stderr
    return launcher


def build(launcher: Launcher, name: str) -> Built:
    """Build an image, or find it, and look at it through docker itself."""
    done = launcher.call("build", name, timeout_s=BUILD_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    image_id = done.stdout.strip()
    seen = json.loads(docker("image", "inspect", image_id))[0]
    labels = seen["Config"]["Labels"]
    base_name = labels["org.opencontainers.image.base.name"]
    if not docker("image", "ls", "--quiet", base_name):
        # BuildKit fetches layers of a base without keeping the base as an image.
        docker("pull", "--quiet", base_name)
    base = json.loads(docker("image", "inspect", base_name))[0]
    return Built(name, image_id, seen["Size"], base["Size"], seen["Config"]["User"], labels)


@pytest.fixture(scope="session")
def adb_image(launcher: Launcher) -> Built:
    """The adb image."""
    return build(launcher, "adb")


@pytest.fixture(scope="session")
def training_image(launcher: Launcher) -> Built:
    """The training image."""
    return build(launcher, "training")


@pytest.fixture(scope="session")
def files_image(launcher: Launcher) -> Built:
    """The image for finished files."""
    return build(launcher, "files")


@pytest.fixture(scope="session")
def data_image(launcher: Launcher) -> Built:
    """The image for labelled images."""
    return build(launcher, "data")


@pytest.fixture
def token() -> str:
    """A word that no other container's command holds."""
    return f"token-{uuid4().hex}"


@pytest.fixture
def checkout(launcher: Launcher) -> Iterator[Launcher]:
    """A copy of the checkout in a folder with an awkward name; for root, as another user."""
    # Not below pytest's folder, which other users may not enter.
    parent = Path(tempfile.mkdtemp(prefix="edgeproof-"))
    root = parent / "a repo: x,y=z"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("jobs", "common", "docker"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    shutil.copy(ROOT / ".dockerignore", root)
    try:
        yield _as_stranger(parent, root) if os.getuid() == 0 else Launcher(root)
    finally:
        shutil.rmtree(parent)


def stranger(groups: str) -> tuple[str, ...]:
    """The command that becomes another user than root, who can still read the tests' Python."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing")
    # Python may lie in root's home; this one capability lets it be read, and gives no other right.
    read = [part for kind in ("inh", "ambient") for part in (f"--{kind}-caps", "-all,+dac_read_search")]
    user = ["--reuid", str(STRANGER), "--regid", str(STRANGER), "--groups", groups]
    return ("setpriv", *user, *read, "--")


def _as_stranger(parent: Path, root: Path) -> Launcher:
    parent.chmod(0o755)
    for path in (root, *root.rglob("*")):
        os.chown(path, STRANGER, STRANGER)
    address = docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").strip()
    socket = Path((os.environ.get("DOCKER_HOST") or address).removeprefix("unix://"))
    group = socket.stat().st_gid if socket.exists() else STRANGER
    return Launcher(root, STRANGER, stranger(str(group)), {"HOME": str(root)})
