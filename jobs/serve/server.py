"""The server: on 127.0.0.1, for this machine's browser, with nothing to change and little to read."""

import os
import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from common.errors import UsageError
from jobs.serve import page
from jobs.serve.folders import DEPTH, opened
from jobs.serve.runs import Shelf

LOOPBACK = "127.0.0.1"
MOST_PORT = 65535
# A client that says nothing for so long is cut off.
PATIENCE_S = 10
INLINE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
CLOSED = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# A report has a policy of its own, which stays in force beside this one. In a sandbox it has no origin, so that the
# page of one run, which may be somebody else's, reads no other.
PAGE = f"{INLINE}; script-src 'unsafe-inline'; {CLOSED}; sandbox allow-scripts allow-downloads"
PICTURE = f"{INLINE}; {CLOSED}; sandbox"
NOTHING = f"default-src 'none'; {CLOSED}; sandbox"
TYPES = {
    ".html": ("text/html; charset=utf-8", PAGE),
    ".svg": ("image/svg+xml", PICTURE),
    ".png": ("image/png", NOTHING),
    ".jpg": ("image/jpeg", NOTHING),
    ".json": ("application/json", NOTHING),
    ".csv": ("text/csv; charset=utf-8", NOTHING),
    ".md": ("text/plain; charset=utf-8", NOTHING),
    ".tflite": ("application/octet-stream", NOTHING),
}


def port_of(text: str) -> int:
    """A port as the user gives it; 0, a free one, where nothing is given. Raises UsageError."""
    if not text.strip():
        return 0
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_PORT):
        raise UsageError(f"PORT={text} is no port", hint="give a number from 1 to 65535, or none for a free one")
    return int(text)


def bound(runs: Path, port: int) -> "Server":
    """A server that listens. Raises UsageError for a port that cannot be had, and where there is no folder."""
    if not runs.is_dir():
        raise UsageError(f"{runs} is no folder", hint="make all writes runs into runs/; give another folder with RUNS")
    try:
        return Server(runs, port)
    except OSError as error:
        raise UsageError(f"port {port} cannot be had: {error.strerror}", hint="give another PORT, or none") from None


class Server(ThreadingHTTPServer):
    """Serves the runs below a folder."""

    daemon_threads = True

    def __init__(self, runs: Path, port: int) -> None:
        super().__init__((LOOPBACK, port), _Request)
        self.shelf = Shelf(runs)
        names = (LOOPBACK, "localhost")
        here = self.server_address[1]
        # A page from elsewhere, whose name was made to mean this machine, asks in its own name.
        self.hosts = {f"{name}:{here}" for name in names} | (set(names) if here == 80 else set())  # noqa: PLR2004

    @property
    def url(self) -> str:
        """Where the index is."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that went away is its own affair."""


class _Request(BaseHTTPRequestHandler):
    server: Server
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = self.path.partition("?")[0]
        if path == "/":
            entries = self.server.shelf.entries()
            self._send(page.index(str(self.server.shelf.folder), entries), "text/html; charset=utf-8", page.POLICY)
            return
        parts = [unquote(part, errors="surrogateescape") for part in path.removeprefix("/").split("/")]
        if not path.startswith("/") or len(parts) != DEPTH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._file(*parts)

    do_HEAD = do_GET  # noqa: N815

    def _file(self, run: str, folder: str, name: str) -> None:
        try:
            with opened(self.server.shelf.folder, run, folder, name) as stream:
                self._begin(HTTPStatus.OK, os.fstat(stream.fileno()).st_size, *TYPES[Path(name).suffix])
                if self.command != "HEAD":
                    shutil.copyfileobj(stream, self.wfile)
        except (OSError, ValueError):
            # Also what is there and is not to be told of.
            if not self._begun:
                self.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, body: bytes, kind: str, policy: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._begin(status, len(body), kind, policy)
        if self.command != "HEAD":
            self.wfile.write(body)

    _begun = False

    def _begin(self, status: HTTPStatus, length: int, kind: str, policy: str) -> None:
        self._begun = True
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(length),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET, HEAD"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """One line; of the request nothing is repeated. Methods that there are none of are not allowed."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self.close_connection = True
        self._send(f"{status.value} {status.phrase}\n".encode(), "text/plain; charset=utf-8", NOTHING, status)

    def version_string(self) -> str:
        """No versions."""
        return "edgeproof"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is the user's."""
