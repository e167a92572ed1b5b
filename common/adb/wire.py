"""A connection to the adb server with one deadline over everything.

Protocol: AOSP packages/modules/adb, OVERVIEW.TXT, SERVICES.TXT and shell_protocol.h.
"""

import contextlib
import re
import select
import socket
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from common.adb.errors import SizeLimitError
from common.adb.watch import QUIET_S, Watch

STDOUT, STDERR = 0, 1
# Packet kinds of the shell protocol, version 2.
OUTPUT_PACKETS = {1: STDOUT, 2: STDERR}
EXIT_PACKET = 3
HEADER_BYTES = 5
CHUNK_BYTES = 1 << 16
MIB = 1 << 20
# For services that answer in a line or a list.
MOST_BYTES = MIB
HEX_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")


class Wire:
    """Wraps a connection of adbutils. Raises TimeoutError at the deadline, EOFError when it is closed early,
    SizeLimitError when more than `most_bytes` come, headers included. `watch` hears when something moves and when
    nothing does."""

    def __init__(
        self, connection: Any, limit_s: float, most_bytes: int = MOST_BYTES, watch: Watch | None = None
    ) -> None:
        self._connection, self._watch = connection, watch
        self._deadline = time.monotonic() + limit_s
        self._most = self._left = most_bytes

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
        self._await()
        try:
            self._connection.check_okay()
        except ValueError:
            raise EOFError("the adb server answered with what is no message") from None

    def block(self) -> str:
        """A text with its length before it."""
        length = self.exactly(4)
        if not HEX_LENGTH.fullmatch(length):
            raise EOFError("the adb server answered with what is no message")
        return self.exactly(int(length, 16)).decode("utf-8", "replace")

    def send(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket(shortly=True).send(rest) :]
                if self._watch is not None:
                    self._watch.heard()
            except TimeoutError:
                self._quiet()

    def comes(self, within_s: float) -> bool:
        """Whether something comes, or the end, within so many seconds. Raises TimeoutError at the deadline, and as
        `watch` does."""
        connected = self._socket()
        if select.select([connected], [], [], min(within_s, connected.gettimeout()))[0]:
            return True
        self._quiet()
        return False

    def some(self) -> bytes:
        """What has come, at least a byte; nothing at the end."""
        return self._receive(CHUNK_BYTES)

    def exactly(self, count: int) -> bytes:
        """That many bytes. Raises EOFError when the connection ends before."""
        if count > self._left:
            raise self._too_much()
        parts, left = [], count
        while left:
            data = self._receive(min(left, CHUNK_BYTES))
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
                data = self.exactly(int.from_bytes(header[1:], "little"))
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

    def _receive(self, most: int) -> bytes:
        self._await()
        data = bytes(self._socket().recv(most))
        self._left -= len(data)
        if self._left < 0:
            raise self._too_much()
        return data

    def _too_much(self) -> SizeLimitError:
        return SizeLimitError(f"sent more than the {self._most // MIB} MiB allowed")

    def _await(self) -> None:
        """Return when something has come, or the end. Raises as `watch` does when nothing does for long."""
        while self._watch is not None:
            try:
                self._socket(shortly=True).recv(1, socket.MSG_PEEK)
            except TimeoutError:
                self._quiet()
            else:
                self._watch.heard()
                return

    def _quiet(self) -> None:
        # Raises TimeoutError where it is over.
        self._socket()
        if self._watch is not None:
            self._watch.quiet()

    def _socket(self, *, shortly: bool = False) -> Any:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connected = self._connection.conn
        connected.settimeout(min(left, QUIET_S) if shortly and self._watch is not None else left)
        return connected
