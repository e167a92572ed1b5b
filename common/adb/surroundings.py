"""What the environment says of adb: where its server is, and where device locks lie. Pure, standard library only."""

from collections.abc import Mapping
from pathlib import Path

from common.adb.errors import NotReadyError

SOCKET_VARIABLE = "ADB_SERVER_SOCKET"
HOST_VARIABLE, PORT_VARIABLE = "ANDROID_ADB_SERVER_HOST", "ANDROID_ADB_SERVER_PORT"
SERVER_VARIABLES = (SOCKET_VARIABLE, HOST_VARIABLE, PORT_VARIABLE)
LOCKS_VARIABLE = "EDGEPROOF_LOCKS"
USB_VARIABLE = "EDGEPROOF_USB"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 5037


def server_address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the adb server: ADB_SERVER_SOCKET first, as adb does, then the two ANDROID_ variables.

    Raises NotReadyError for what is no port.
    """
    socket = environment.get(SOCKET_VARIABLE, "")
    if socket.startswith("tcp:"):
        host, _, port = socket.removeprefix("tcp:").rpartition(":")
        text, given = port, host or "localhost"
    else:
        given = environment.get(HOST_VARIABLE) or DEFAULT_HOST
        text = environment.get(PORT_VARIABLE) or str(DEFAULT_PORT)
    if not text.isdigit():
        raise NotReadyError(f"'{text}' is no port of an adb server", hint=f"see {SOCKET_VARIABLE}")
    return given, int(text)


def locks_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Where the locks of devices lie: EDGEPROOF_LOCKS, or the user's cache."""
    given = environment.get(LOCKS_VARIABLE)
    if given:
        return Path(given)
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "edgeproof" / "locks"
