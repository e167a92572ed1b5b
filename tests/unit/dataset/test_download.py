"""Downloads, from a server on this machine."""

import hashlib
import http.client
import io
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from common.errors import EdgeproofError, UsageError
from common.redirects import OnlyHttp
from common.schema.source import public
from jobs.dataset.download import download

BODY = b"an archive" * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/ok serves the body, /cut less than announced, /to-* redirects, everything else is missing."""

    def do_GET(self) -> None:
        """Answer by path."""
        if self.path.startswith(("/ok", "/cut")):
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY if self.path.startswith("/ok") else BODY[:100])
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(BODY)
        elif self.path.startswith("/to-"):
            self.send_response(302)
            targets = {"/to-ok": "/ok", "/to-file": "file:///etc/hostname", "/to-ftp": "ftp://127.0.0.1/x"}
            self.send_header("Location", targets.get(self.path, self.path))
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as url:
        yield url


def fetch(url: str, sha256: str = SHA256, **options: int) -> bytes:
    file = io.BytesIO()
    download(url, sha256, file, lambda _: None, **options)
    return file.getvalue()


@pytest.mark.parametrize("path", ["/ok", "/to-ok", "/endless"])
def test_the_right_file_arrives(server: str, path: str) -> None:
    assert fetch(server + path) == BODY


def test_every_byte_is_reported(server: str) -> None:
    seen: list[int] = []
    download(server + "/ok", SHA256, io.BytesIO(), seen.append)
    assert sum(seen) == len(BODY)


@pytest.mark.parametrize(
    ("path", "kind", "complaint"),
    [
        ("/nothing", UsageError, "answered 404"),
        ("/to-file", UsageError, "answered 302"),
        ("/to-ftp", UsageError, "redirects to"),
        ("/to-itself", UsageError, "answered 302"),
        ("/cut", EdgeproofError, "broke off|could not be downloaded"),
    ],
)
def test_what_goes_wrong_is_said(server: str, path: str, kind: type[EdgeproofError], complaint: str) -> None:
    with pytest.raises(EdgeproofError, match=complaint) as caught:
        fetch(server + path)
    assert type(caught.value) is kind


def test_another_file_is_refused(server: str) -> None:
    with pytest.raises(UsageError, match=f"sha256 {SHA256}, expected {'0' * 64}"):
        fetch(server + "/ok", "0" * 64)


@pytest.mark.parametrize("path", ["/ok", "/endless"])
def test_too_much_is_refused(server: str, path: str) -> None:
    with pytest.raises(UsageError, match=r"bytes"):
        fetch(server + path, max_bytes=5000)


def test_no_server_is_one_clear_error() -> None:
    with serving() as url:
        pass
    with pytest.raises(EdgeproofError, match="could not be downloaded") as caught:
        fetch(url + "/ok")
    assert caught.value.exit_code == 1


def test_secrets_in_a_url_are_not_shown(server: str) -> None:
    secret = server.replace("//", "//user:password@") + "/nothing?token=abc"
    with pytest.raises(EdgeproofError) as caught:
        fetch(secret)
    for word in ("password", "abc"):
        assert word not in str(caught.value)
    assert public("https://u:p@example.org:8443/a.zip?k=v#f") == "https://example.org:8443/a.zip"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/x", "http://[::1]/x", "http://169.254.169.254/x", "http://10.0.0.1"]
)
def test_a_server_outside_leads_to_nothing_inside(target: str) -> None:
    asked = urllib.request.Request("http://8.8.8.8/photos.zip")
    with pytest.raises(UsageError, match="redirects into this network"):
        OnlyHttp().redirect_request(asked, io.BytesIO(), 302, "Found", http.client.HTTPMessage(), target)


def test_a_server_outside_leads_to_another_outside() -> None:
    asked = urllib.request.Request("http://8.8.8.8/photos.zip")
    found = OnlyHttp().redirect_request(
        asked, io.BytesIO(), 302, "Found", http.client.HTTPMessage(), "http://8.8.4.4/x"
    )
    assert found is not None and found.full_url == "http://8.8.4.4/x"
