"""A short conversation with an adb server, with the standard library alone and within a bound: make must ask what is
attached where its environment has no adbutils, and nobody waits long for a device that does not answer.

Protocol: AOSP packages/modules/adb, OVERVIEW.TXT and SERVICES.TXT. Every call is bounded in time and size.
"""

import os
import socket
import time

from common.adb.errors import NotReadyError
from common.adb.surroundings import server_address

# A server or a phone that answers does so at once.
PATIENCE_S = 3.0
MOST_BYTES = 1 << 18
HINT = "make devices starts the server and lists what is attached"


class Conversation:
    """A connection to the server that must be done within `patience_s`. As a context manager it closes, and turns every
    failure into NotReadyError."""

    def __init__(self, stream: socket.socket, patience_s: float = PATIENCE_S) -> None:
        self._stream, self._patience_s, self._deadline = stream, patience_s, time.monotonic() + patience_s

    def __enter__(self) -> "Conversation":
        """Itself."""
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close."""
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

    def rest(self, most_bytes: int = MOST_BYTES) -> str:
        """Everything to the end. Raises NotReadyError beyond `most_bytes`."""
        parts = b""
        while data := self._some(MOST_BYTES):
            parts += data
            if len(parts) > most_bytes:
                raise NotReadyError(f"the device sent more than {most_bytes} bytes about itself", hint=HINT)
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
            raise TimeoutError(f"nothing within {self._patience_s:.0f} s")
        self._stream.settimeout(left)
        return self._stream.recv(most)


def converse(patience_s: float = PATIENCE_S) -> Conversation:
    """Talk to the server of the environment. Raises NotReadyError when none answers."""
    host, port = server_address(os.environ)
    try:
        return Conversation(socket.create_connection((host, port), timeout=patience_s), patience_s)
    except (OSError, OverflowError) as error:
        raise NotReadyError(f"no adb server answers at {host}:{port}: {_plain(error)}", hint=HINT) from None


def _plain(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
