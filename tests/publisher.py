"""A publisher of tools on loopback: a real HTTP server that answers as storage, proxies and bad networks do."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What a path gives. Of `content`, so many bytes are `sent` (None: all), each part after `pause_s`; the first
    `cuts` answers break off half-way whatever `sent` says."""

    content: bytes = b""
    status: int = 200
    sent: int | None = None
    cuts: int = 0
    pause_s: float = 0.0
    length: bool = True
    location: str | None = None


@dataclass
class Publisher:
    """`answers` are by path, and may be changed while it runs; `asked` are the paths, in their order."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, path: str, content: bytes) -> str:
        """Put a file there, or another one in its place; gives its URL."""
        self.answers[path] = Answer(content)
        return self.address + path

    def url(self, path: str, answer: Answer) -> str:
        """The same for an answer of any kind."""
        self.answers[path] = answer
        return self.address + path


@contextmanager
def publisher() -> Iterator[Publisher]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            answer = found.answers.get(self.path, Answer(b"no such object", status=404))
            self.send_response(answer.status)
            if answer.location is not None:
                self.send_header("Location", answer.location)
            if answer.length:
                self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            whole, most = len(answer.content), answer.sent
            if answer.cuts:
                answer.cuts, most = answer.cuts - 1, whole // 2
            for part in _parts(answer.content[:most], 8 if answer.pause_s else 1):
                time.sleep(answer.pause_s)
                self.wfile.write(part)
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found = Publisher(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def _parts(content: bytes, count: int) -> Iterator[bytes]:
    size = max(-(-len(content) // count), 1)
    yield from (content[at : at + size] for at in range(0, len(content), size))
