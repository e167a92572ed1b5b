"""A connection to the adb server with one deadline over everything.

Protocol: AOSP packages/modules/adb, OVERVIEW.TXT, SERVICES.TXT and shell_protocol.h.
"""

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

STDOUT, STDERR = 0, 1
# Packet kinds of the shell protocol, version 2.
OUTPUT_PACKETS = {1: STDOUT, 2: STDERR}
EXIT_PACKET = 3
HEADER_BYTES = 5
CHUNK_BYTES = 1 << 16
# Output beyond this is no answer of a program that we start.
MOST_PACKET_BYTES = 1 << 24


class Wire:
    """Wraps a connection of adbutils. Raises TimeoutError at the deadline, EOFError when it is closed early."""

    def __init__(self, connection: Any, limit_s: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + limit_s

    def __enter__(self) -> "Wire":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close without waiting for the other side."""
        with contextlib.suppress(OSError):
            self._connection.conn.close()

    def limit(self, limit_s: float) -> None:
        """Everything from now on must end within `limit_s`."""
        self._deadline = time.monotonic() + limit_s

    def service(self, name: str) -> None:
        """Ask for a service. Raises AdbError with the server's words when it refuses."""
        self._socket()
        self._connection.send_command(name)
        self._connection.check_okay()

    def block(self) -> str:
        """A text with its length before it."""
        return self.exactly(int(self.exactly(4), 16)).decode("utf-8", "replace")

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket().sendall(data)

    def some(self) -> bytes:
        """What has come, at least a byte; nothing at the end."""
        return bytes(self._socket().recv(CHUNK_BYTES))

    def exactly(self, count: int) -> bytes:
        """That many bytes. Raises EOFError when the connection ends before."""
        parts, left = [], count
        while left:
            data = bytes(self._socket().recv(min(left, CHUNK_BYTES)))
            if not data:
                raise EOFError("the connection was closed")
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def shell_packets(self) -> Iterator[tuple[int, bytes]]:
        """(stream, bytes) until the exit packet. Ends early when the connection does: the caller sees that
        its mark is missing."""
        while True:
            try:
                header = self.exactly(HEADER_BYTES)
                size = int.from_bytes(header[1:], "little")
                if size > MOST_PACKET_BYTES:
                    raise EOFError("the device sent what is no packet")
                data = self.exactly(size)
            except (EOFError, ConnectionError):
                return
            if header[0] == EXIT_PACKET:
                return
            if header[0] in OUTPUT_PACKETS:
                yield OUTPUT_PACKETS[header[0]], data

    def raw(self) -> Iterator[tuple[int, bytes]]:
        """(STDOUT, bytes) to the end: devices before Android 7 send one stream and no exit status."""
        with contextlib.suppress(ConnectionError):
            while data := self.some():
                yield STDOUT, data

    def _socket(self) -> Any:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        socket = self._connection.conn
        socket.settimeout(left)
        return socket
