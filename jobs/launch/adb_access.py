"""What a job needs to reach devices through adb from inside a container. Pure but for `find`."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USB = Path("/dev/bus/usb")
USB_VARIABLE = "EDGEPROOF_USB"
LOCKS_VARIABLE = "EDGEPROOF_LOCKS"
BINARIES_VARIABLE = "EDGEPROOF_BINARIES"
KEYS_VARIABLE = "ADB_VENDOR_KEYS"
SERVER_VARIABLES = ("ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_HOST", "ANDROID_ADB_SERVER_PORT")


@dataclass(frozen=True)
class AdbAccess:
    """Paths to mount, variables to set, and how the container is joined to the host.

    `usb`: the USB devices are handed in, for an adb server inside of the container; `groups` may use them.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    usb: bool = False
    groups: tuple[int, ...] = ()


def plan(
    caller: Mapping[str, str], home: Path, root: Path, keys: tuple[Path, ...], usb_groups: tuple[int, ...]
) -> AdbAccess:
    """`keys` are the private keys that exist, `usb_groups` the groups that may use USB devices.

    Locks and binaries lie where a run without containers keeps them, so that both know of each other. Keys
    are of use to a server inside of the container only, and are never written to. The lock of the tools is read.
    """
    locks = Path(
        caller.get(LOCKS_VARIABLE) or Path(caller.get("XDG_CACHE_HOME") or home / ".cache") / "edgeproof/locks"
    )
    binaries = Path(caller.get(BINARIES_VARIABLE) or root / ".cache" / "binaries")
    environment = [(name, caller[name]) for name in SERVER_VARIABLES if caller.get(name)]
    environment += [(LOCKS_VARIABLE, str(locks)), (BINARIES_VARIABLE, str(binaries))]
    if keys:
        environment.append((KEYS_VARIABLE, os.pathsep.join(str(key) for key in keys)))
    usb = caller.get(USB_VARIABLE) == "1"
    read = (*keys, root / "docker" / "adb" / "binaries.toml")
    return AdbAccess(read, (locks, binaries), tuple(environment), usb, usb_groups if usb else ())


def find(caller: Mapping[str, str], root: Path) -> AdbAccess:
    """As `plan`, for this machine."""
    home = Path.home()
    named = [Path(path) for path in caller.get(KEYS_VARIABLE, "").split(os.pathsep) if path]
    keys = tuple(path.absolute() for path in named or [home / ".android" / "adbkey"] if path.exists())
    return plan(caller, home, root, keys, _usb_groups())


def _usb_groups() -> tuple[int, ...]:
    found = {path.stat().st_gid for path in USB.glob("*/*") if path.stat().st_mode & stat.S_IWGRP}
    return tuple(sorted(found))
