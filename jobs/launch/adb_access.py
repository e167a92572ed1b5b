"""What a job needs to reach devices through adb from inside a container. Pure but for `find`."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.adb.conversation import converse
from common.adb.errors import NotReadyError
from common.adb.surroundings import LOCKS_VARIABLE, SERVER_VARIABLES, USB_VARIABLE, locks_folder
from common.binaries import CACHE_VARIABLE, LOCK, cache_folder
from common.provenance import ROOT

USB = Path("/dev/bus/usb")
KEYS_VARIABLE = "ADB_VENDOR_KEYS"


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


def access_for(
    caller: Mapping[str, str], home: Path, root: Path, keys: tuple[Path, ...], usb_groups: tuple[int, ...]
) -> AdbAccess:
    """`keys` are the private keys that exist, `usb_groups` the groups that may use USB devices.

    The locks of devices lie where a run without containers keeps them, so that both know of each other; so do the tools
    that were downloaded, each of which is verified before it is used. Nothing else is written. Keys are of use to a
    server inside of the container only.
    """
    locks = locks_folder(caller, home).resolve()
    environment = [(name, caller[name]) for name in SERVER_VARIABLES if caller.get(name)]
    environment.append((LOCKS_VARIABLE, str(locks)))
    tools = cache_folder(caller, root).resolve()
    environment.append((CACHE_VARIABLE, str(tools)))
    if keys:
        environment.append((KEYS_VARIABLE, os.pathsep.join(str(key) for key in keys)))
    usb = caller.get(USB_VARIABLE) == "1"
    read = (*keys, root / LOCK.relative_to(ROOT))
    return AdbAccess(read, (locks, tools), tuple(environment), usb, usb_groups if usb else ())


def find(caller: Mapping[str, str], root: Path) -> AdbAccess:
    """As `access_for`, for this machine."""
    home = Path.home()
    named = [Path(path) for path in caller.get(KEYS_VARIABLE, "").split(os.pathsep) if path]
    keys = tuple(path.absolute() for path in named or [home / ".android" / "adbkey"] if path.exists())
    return access_for(caller, home, root, keys, _usb_groups())


def require_server(caller: Mapping[str, str], devices: Sequence[str]) -> None:
    """Raises NotReadyError where no adb server answers that may know these devices. A client in a container would start
    one there, which sees no USB device, and say that none of them is attached."""
    try:
        with converse():
            return
    except NotReadyError as error:
        reason = error.message
    if caller.get(USB_VARIABLE) != "1":
        hint = "start it on this machine with adb start-server, or with make devices; or use RUNTIME=local"
        raise NotReadyError(f"{', '.join(devices)}: {reason}; one in a container would see no device", hint=hint)


def _usb_groups() -> tuple[int, ...]:
    found = {path.stat().st_gid for path in USB.glob("*/*") if path.stat().st_mode & stat.S_IWGRP}
    return tuple(sorted(found))
