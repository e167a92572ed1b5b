"""The stand-in through the real adb client and server: shell, exit statuses, files."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import adbutils

from tests.devices.adb_server import AdbServer
from tests.devices.standin.device import StandIn

BIG_BYTES = 5 << 20


def test_states_and_banner(adb_server: AdbServer, stand_in: StandIn) -> None:
    assert adb_server.states()[stand_in.serial] == "device"
    features = adb_server.adb("features", serial=stand_in.serial).stdout.split()
    assert "shell_v2" in features
    assert "abb_exec" not in features


def test_exit_statuses_and_streams(adb_server: AdbServer, stand_in: StandIn) -> None:
    done = adb_server.adb("shell", "echo out; echo err >&2; exit 42", serial=stand_in.serial)
    assert (done.returncode, done.stdout, done.stderr) == (42, "out\n", "err\n")
    assert adb_server.adb("shell", "kill -9 $$", serial=stand_in.serial).returncode == 137
    assert adb_server.adb("shell", "nosuch", serial=stand_in.serial).returncode == 127


def test_without_shell_v2_no_status_comes_back(adb_server: AdbServer, stand_ins: Callable[[str], StandIn]) -> None:
    old = stand_ins("old")
    done = adb_server.adb("shell", "echo out; echo err >&2; exit 42", serial=old.serial)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\nerr\n", "")
    marked = adb_server.adb("shell", "(exit 42); echo rc=$?", serial=old.serial)
    assert marked.stdout.splitlines()[-1] == "rc=42"


def test_five_megabytes_there_and_back(adb_server: AdbServer, stand_in: StandIn, tmp_path: Path) -> None:
    content = os.urandom(BIG_BYTES)
    (tmp_path / "there").write_bytes(content)
    target = "/data/local/tmp/a folder/it's big"
    pushed = adb_server.adb("push", str(tmp_path / "there"), target, serial=stand_in.serial)
    assert pushed.returncode == 0, pushed.stderr
    summed = adb_server.adb("shell", 'sha256sum "/data/local/tmp/a folder/"*', serial=stand_in.serial)
    assert summed.stdout.split()[0] == hashlib.sha256(content).hexdigest()
    pulled = adb_server.adb("pull", target, str(tmp_path / "back"), serial=stand_in.serial)
    assert pulled.returncode == 0, pulled.stderr
    assert (tmp_path / "back").read_bytes() == content


def test_denied_and_missing_paths(adb_server: AdbServer, stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    denied = adb_server.adb("push", str(tmp_path / "x"), "/system/x", serial=stand_in.serial)
    assert denied.returncode == 1
    assert "Permission denied" in denied.stdout + denied.stderr
    assert adb_server.adb("pull", "/nope", str(tmp_path / "y"), serial=stand_in.serial).returncode == 1


def test_adbutils_speaks_to_it(adb_server: AdbServer, stand_in: StandIn, tmp_path: Path) -> None:
    client = adbutils.AdbClient("127.0.0.1", adb_server.port, socket_timeout=10)
    device = client.device(serial=stand_in.serial)
    result = device.shell2("echo hello; exit 3", v2=True)
    assert (result.returncode, result.stdout) == (3, "hello\n")
    (tmp_path / "file").write_bytes(b"content")
    device.sync.push(tmp_path / "file", "/data/local/tmp/file")
    assert device.sync.read_bytes("/data/local/tmp/file") == b"content"
    assert device.sync.stat("/data/local/tmp/file").size == 7
    assert [entry.path for entry in device.sync.list("/data/local/tmp")] == [".", "..", "file"]


def test_a_restarted_server_has_forgotten_the_device(tmp_path: Path) -> None:
    with AdbServer(tmp_path) as server, StandIn() as device:
        assert server.connect(device.serial).startswith("connected")
        server.restart()
        assert device.serial not in server.states()
        assert server.connect(device.serial).startswith("connected")
        assert server.adb("shell", "echo hello", serial=device.serial).stdout == "hello\n"


def test_four_devices_at_once(adb_server: AdbServer, stand_ins: Callable[[], StandIn]) -> None:
    devices = [stand_ins() for _ in range(4)]
    states = adb_server.states()
    assert all(states[device.serial] == "device" for device in devices)
    for number, device in enumerate(devices):
        adb_server.adb("shell", f"echo {number} > /data/local/tmp/number", serial=device.serial)
    assert [device.phone.read("/data/local/tmp/number") for device in devices] == [b"0\n", b"1\n", b"2\n", b"3\n"]
