"""What a container gets to reach devices: no more than the caller has, and keys read-only."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.adb.errors import NotReadyError
from common.provenance import ROOT as CHECKOUT
from jobs.launch.adb_access import AdbAccess, access_for, require_server
from jobs.launch.mounts import binds_for
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server

__all__ = ["adb_server"]

HOME, ROOT = Path("/home/me"), Path("/src")


def access(caller: dict[str, str], keys: tuple[Path, ...] = ()) -> AdbAccess:
    return access_for(caller, HOME, ROOT, keys, usb_groups=(46,))


def test_the_servers_address_is_passed_on_and_nothing_else() -> None:
    caller = {"ADB_SERVER_SOCKET": "tcp:pi:5037", "ANDROID_ADB_SERVER_PORT": "5037", "AWS_SECRET": "x"}
    given = dict(access(caller).environment)
    assert given["ADB_SERVER_SOCKET"] == "tcp:pi:5037"
    assert given["ANDROID_ADB_SERVER_PORT"] == "5037"
    assert "AWS_SECRET" not in given


def test_locks_and_tools_are_those_of_a_run_without_containers_and_all_that_is_written() -> None:
    found, variables = access({}), dict(access({}).environment)
    assert found.write == (HOME / ".cache/edgeproof/locks", ROOT / ".cache/binaries")
    assert variables["EDGEPROOF_LOCKS"] == str(HOME / ".cache/edgeproof/locks")
    assert variables["EDGEPROOF_BINARIES"] == str(ROOT / ".cache/binaries")
    assert ROOT / "docker/adb/binaries.toml" in found.read
    elsewhere = access({"EDGEPROOF_LOCKS": "/srv/locks", "EDGEPROOF_BINARIES": "/srv/tools"})
    assert elsewhere.write == (Path("/srv/locks"), Path("/srv/tools"))


def test_keys_are_mounted_read_only() -> None:
    key = HOME / ".android/adbkey"
    found = access({}, (key,))
    assert dict(found.environment)["ADB_VENDOR_KEYS"] == str(key)
    [bind] = [b for b in binds_for((), found.read, found.write, Path("/")) if b.path == key]
    assert bind.read_only


def test_usb_is_handed_in_only_when_asked_for() -> None:
    assert (access({}).usb, access({}).groups) == (False, ())
    asked = access({"EDGEPROOF_USB": "1"})
    assert (asked.usb, asked.groups) == (True, (46,))


NOWHERE = {"ADB_SERVER_SOCKET": "tcp:127.0.0.1:1"}


def test_without_a_server_on_the_host_a_container_is_not_even_tried(tmp_path: Path) -> None:
    argv = ("stage", "benchmark", "--", "--experiment", "experiments/demo.toml", "--output", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "jobs.launch", *argv, "--look", "--devices", "R5CT10ABC"],
        cwd=CHECKOUT,
        env={**os.environ, **NOWHERE, "DOCKER_HOST": "tcp://127.0.0.1:2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (75, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(
        "error: R5CT10ABC: no adb server answers at 127.0.0.1:1: Connection refused; one in a container "
    )
    assert line.endswith("(start it on this machine with adb start-server, or with make devices; or use RUNTIME=local)")


def test_the_hosts_server_will_do_and_so_will_usb(adb_server: AdbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in adb_server.address.items():
        monkeypatch.setenv(name, value)
    require_server({}, ["R5CT"])
    monkeypatch.setenv("ADB_SERVER_SOCKET", NOWHERE["ADB_SERVER_SOCKET"])
    require_server({"EDGEPROOF_USB": "1"}, ["R5CT"])
    with pytest.raises(NotReadyError, match="no adb server answers"):
        require_server({}, ["R5CT"])
