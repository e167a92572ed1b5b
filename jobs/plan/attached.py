"""Ask an adb server which devices there are, and a device what it is, with the standard library alone: where the
stages run in containers, the environment of make has no adbutils.

Protocol: AOSP packages/modules/adb, OVERVIEW.TXT and SERVICES.TXT. Every call is bounded in time and size.
"""

import os
import socket
import time
from contextlib import suppress

from common.adb.attached import Attached, parse
from common.adb.errors import NotReadyError
from common.adb.facts import properties
from common.adb.surroundings import server_address

# A server or a phone that answers does so at once; make waits for no other.
PATIENCE_S = 3.0
MOST_BYTES = 1 << 18
HINT = "make devices starts the server and lists what is attached"
# What makes it another device, or the same one with another system.
LASTING = (
    "ro.product.manufacturer",
    "ro.product.model",
    "ro.serialno",
    "ro.build.fingerprint",
    "ro.product.cpu.abilist",
)


def attached() -> tuple[Attached, ...]:
    """Every device that the server knows. Raises NotReadyError without a server."""
    with _connect() as server:
        server.ask("host:devices")
        return parse(server.block())


def start_server() -> None:
    """Start the adb server as the benchmark would, where that can be done from here."""
    with suppress(ImportError, NotReadyError):
        from common.adb.server import Server

        Server().attached()


def lasting_facts(serial: str) -> dict[str, str]:
    """What a device says that it is. Raises NotReadyError when it does not answer."""
    with _connect() as server:
        server.ask(f"host:transport:{serial}")
        server.ask("shell:getprop")
        known = properties(server.rest())
    if not known:
        raise NotReadyError(f"{serial} does not say what it is", hint=HINT)
    return {name: known[name] for name in LASTING if name in known}


class _Conversation:
    """A connection to the server that must be done within PATIENCE_S."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream, self._deadline = stream, time.monotonic() + PATIENCE_S

    def __enter__(self) -> "_Conversation":
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._stream.close()
        if isinstance(error, OSError | EOFError | ValueError):
            raise NotReadyError(f"the adb server gave no answer: {error or type(error).__name__}", hint=HINT) from None

    def ask(self, service: str) -> None:
        """Ask for a service. Raises NotReadyError with the server's words when it refuses."""
        content = service.encode()
        self._stream.sendall(b"%04x%s" % (len(content), content))
        if self._exactly(4) != b"OKAY":
            raise NotReadyError(f"the adb server refused: {self.block()}", hint=HINT)

    def block(self) -> str:
        """A text with its length before it."""
        return self._exactly(int(self._exactly(4), 16)).decode("utf-8", "replace")

    def rest(self) -> str:
        """Everything to the end. Raises NotReadyError beyond MOST_BYTES."""
        parts = b""
        while data := self._some(MOST_BYTES):
            parts += data
            if len(parts) > MOST_BYTES:
                raise NotReadyError(f"the device sent more than {MOST_BYTES} bytes about itself", hint=HINT)
        return parts.decode("utf-8", "replace")

    def _exactly(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            data = self._some(count - len(parts))
            if not data:
                raise EOFError("the connection was closed")
            parts += data
        return parts

    def _some(self, most: int) -> bytes:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"nothing within {PATIENCE_S:.0f} s")
        self._stream.settimeout(left)
        return self._stream.recv(most)


def _connect() -> _Conversation:
    host, port = server_address(os.environ)
    try:
        return _Conversation(socket.create_connection((host, port), timeout=PATIENCE_S))
    except (OSError, OverflowError) as error:
        raise NotReadyError(f"no adb server answers at {host}:{port}: {error}", hint=HINT) from None
