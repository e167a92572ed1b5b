"""Files to and from a device (AOSP packages/modules/adb, SYNC.TXT).

Not adbutils' own: it sends 4 KiB at a time without a time limit, may send a part only, and drops the reason.
"""

import struct
import time
from pathlib import Path

from common.adb.errors import DeviceFileError
from common.adb.wire import Wire

# The most that a DATA message may hold.
DATA_BYTES = 64 * 1024
REGULAR_FILE = 0o100000


def send_file(wire: Wire, source: Path, target: str, mode: int) -> None:
    """Write a file on the device. Raises DeviceFileError with the device's reason."""
    wire.service("sync:")
    wire.send(_message(b"SEND", f"{target},{REGULAR_FILE | mode}".encode()))
    refused = False
    with source.open("rb") as stream:
        while data := stream.read(DATA_BYTES):
            try:
                wire.send(_message(b"DATA", data))
            except ConnectionError:
                # A device that refuses says so at once and closes; its reason is still to be read.
                refused = True
                break
    if not refused:
        wire.send(b"DONE" + struct.pack("<I", int(time.time()) & 0xFFFFFFFF))
    kind, size = struct.unpack("<4sI", wire.exactly(8))
    if kind != b"OKAY":
        raise _refused(wire, kind, size, target)


def receive_file(wire: Wire, source: str) -> bytes:
    """Content of a file on the device. Raises DeviceFileError with the device's reason, SizeLimitError for a
    file beyond the bytes of `wire`."""
    wire.service("sync:")
    wire.send(_message(b"RECV", source.encode()))
    parts: list[bytes] = []
    while True:
        kind, size = struct.unpack("<4sI", wire.exactly(8))
        if kind == b"DONE":
            return b"".join(parts)
        if kind != b"DATA" or size > DATA_BYTES:
            raise _refused(wire, kind, size, source)
        parts.append(wire.exactly(size))


def _message(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data


def _refused(wire: Wire, kind: bytes, size: int, path: str) -> DeviceFileError:
    if kind != b"FAIL" or size > DATA_BYTES:
        raise EOFError("the device answered with what is no message")
    reason = wire.exactly(size).decode("utf-8", "replace")
    hint = "free some space on the device" if "No space left" in reason else None
    return DeviceFileError(f"{path}: {reason}", hint=hint)
