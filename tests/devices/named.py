"""An adb server whose devices have other names: in front of a real one, which knows devices of the network alone.

It stands for what makes names that a test cannot have: a USB descriptor, mDNS.
"""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType

CHUNK = 1 << 16


class NamedServer:
    """Passes everything on to the server at `port`, with `names` (other name: serial there) put in place. A device of
    several names is listed under each."""

    def __init__(self, port: int, names: Mapping[str, str]) -> None:
        self._port, self._names = port, names
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def address(self) -> dict[str, str]:
        """The variables that lead to it."""
        port = str(self._listener.getsockname()[1])
        return {
            "ANDROID_ADB_SERVER_HOST": "127.0.0.1",
            "ANDROID_ADB_SERVER_PORT": port,
            "ADB_SERVER_SOCKET": f"tcp:127.0.0.1:{port}",
        }

    def __enter__(self) -> "NamedServer":
        """Answer."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server, suppress(OSError, EOFError):
            asked = _block(client).decode()
            server.sendall(_framed(self._there(asked)))
            if asked == "host:devices":
                client.sendall(_exactly(server, 4) + _framed(self._here(_block(server).decode())))
            other = threading.Thread(target=pump, args=(client, server), daemon=True)
            other.start()
            pump(server, client)
            other.join(1)

    def _there(self, asked: str) -> str:
        for name, serial in sorted(self._names.items(), key=lambda pair: -len(pair[0])):
            for head in ("host:transport:", "host-serial:", "host:tport:serial:"):
                if asked.startswith(head + name):
                    return head + serial + asked[len(head + name) :]
        return asked

    def _here(self, told: str) -> str:
        states = dict(line.split("\t") for line in told.splitlines())
        return "".join(f"{name}\t{states[serial]}\n" for name, serial in self._names.items() if serial in states)


def _framed(text: str) -> bytes:
    content = text.encode()
    return b"%04x%s" % (len(content), content)


def _block(stream: socket.socket) -> bytes:
    return _exactly(stream, int(_exactly(stream, 4), 16))


def _exactly(stream: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        data = stream.recv(count - len(parts))
        if not data:
            raise EOFError
        parts += data
    return parts


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
