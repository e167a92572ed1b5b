"""adb's packets and streams over a socket (specification: AOSP packages/modules/adb, protocol.txt)."""

import contextlib
import queue
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

VERSION = 0x01000001
MAX_PAYLOAD = 1 << 20
MASK = 0xFFFFFFFF
HEADER = struct.Struct("<6I")
# A host that opened a stream and does not read for this long is gone.
CREDIT_TIMEOUT_S = 60.0


class Command(IntEnum):
    """The words of the protocol, as little-endian numbers."""

    CNXN = 0x4E584E43
    AUTH = 0x48545541
    OPEN = 0x4E45504F
    OKAY = 0x59414B4F
    CLSE = 0x45534C43
    WRTE = 0x45545257
    STLS = 0x534C5453


@dataclass(frozen=True)
class Packet:
    """One message."""

    command: int
    first: int
    second: int
    data: bytes = b""


class Closed(Exception):  # noqa: N818
    """The other side closed the stream or the connection."""


class Link:
    """A connection: whole packets out, whole packets in. `pace` is called with the bytes of each payload."""

    def __init__(self, connection: socket.socket, pace: Callable[[int], None]) -> None:
        """Take over `connection`."""
        self._socket = connection
        self._pace = pace
        self._lock = threading.Lock()

    def send(self, packet: Packet) -> None:
        """Write a packet. Raises Closed."""
        self._pace(len(packet.data))
        head = HEADER.pack(packet.command, packet.first, packet.second, len(packet.data), 0, int(packet.command) ^ MASK)
        try:
            with self._lock:
                self._socket.sendall(head + packet.data)
        except OSError:
            raise Closed from None

    def receive(self) -> Packet:
        """The next packet. Raises Closed, also for what is none."""
        command, first, second, length, _, magic = HEADER.unpack(self._exactly(HEADER.size))
        if magic != command ^ MASK or length > MAX_PAYLOAD:
            raise Closed
        data = self._exactly(length)
        self._pace(length)
        return Packet(command, first, second, data)

    def close(self) -> None:
        """Break the connection, also for whoever waits in receive()."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self._socket.recv(count - len(parts))
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            parts += part
        return bytes(parts)


class Stream:
    """One service's two-way byte stream. One WRTE is in flight per direction until its OKAY."""

    def __init__(self, link: Link, local: int, remote: int) -> None:
        """`local` and `remote` are the ids of the two ends."""
        self.local, self.remote = local, remote
        self.on_close: Callable[[], None] = lambda: None
        self._link = link
        self._incoming: queue.Queue[bytes | None] = queue.Queue()
        self._credit = threading.Semaphore(1)
        self._dead = threading.Event()
        self._rest = b""
        self._write_lock = threading.Lock()

    @property
    def dead(self) -> bool:
        """Whether the other side hung up."""
        return self._dead.is_set()

    def write(self, data: bytes) -> None:
        """Send bytes, waiting for the other side to take them. Raises Closed."""
        with self._write_lock:
            for start in range(0, len(data), MAX_PAYLOAD):
                if self.dead or not self._credit.acquire(timeout=CREDIT_TIMEOUT_S) or self.dead:
                    raise Closed
                self._link.send(Packet(Command.WRTE, self.local, self.remote, data[start : start + MAX_PAYLOAD]))

    def read(self) -> bytes:
        """The next bytes, whatever their number. Raises Closed at the end."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        data = self._incoming.get() or b""
        if not data:
            self._incoming.put(None)
            raise Closed
        # The OKAY goes out when the bytes are taken, which is what holds the sender back.
        self._link.send(Packet(Command.OKAY, self.local, self.remote))
        return data

    def exactly(self, count: int) -> bytes:
        """`count` bytes. Raises Closed."""
        parts = bytearray()
        while len(parts) < count:
            parts += self.read()
        self._rest = bytes(parts[count:]) + self._rest
        return bytes(parts[:count])

    def arrived(self, data: bytes) -> None:
        """Called by the connection for a WRTE."""
        self._incoming.put(data)

    def taken(self) -> None:
        """Called by the connection for an OKAY."""
        self._credit.release()

    def hang_up(self) -> None:
        """Called by the connection when the other side closes."""
        self._dead.set()
        self._incoming.put(None)
        self._credit.release()
        self.on_close()
