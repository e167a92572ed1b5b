"""What a container gets to reach devices: no more than the caller has, and keys read-only."""

from pathlib import Path

from jobs.launch.adb_access import AdbAccess, access_for
from jobs.launch.mounts import binds_for

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
