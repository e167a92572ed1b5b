"""Downloads from a real server on loopback: what breaks off, is gone, too slow, too large, or not there at all."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from common import download
from common.download import GoneError, fetched
from common.errors import EdgeproofError, TryLaterError
from tests.publisher import Answer, Publisher, publisher

CONTENT = bytes(range(256)) * 64


@pytest.fixture
def served() -> Iterator[Publisher]:
    with publisher() as found:
        yield found


def take(url: str, folder: Path, **more: int) -> tuple[bytes, list[str]]:
    said: list[str] = []
    with fetched(url, folder, said.append, **more) as found:
        return found.path.read_bytes(), said


def test_a_file_comes_whole_and_leaves_nothing_behind(served: Publisher, tmp_path: Path) -> None:
    url = served.publish("/tool", CONTENT)
    assert take(url, tmp_path / "new" / "folder") == (CONTENT, [])
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_what_breaks_off_is_noticed_and_tried_once_more(served: Publisher, tmp_path: Path) -> None:
    content, said = take(served.url("/tool", Answer(CONTENT, cuts=1)), tmp_path)
    assert (content, served.asked) == (CONTENT, ["/tool"] * 2)
    assert said == [f"{served.address}/tool broke off after 8192 of 16384 bytes; trying once more"]
    with pytest.raises(TryLaterError, match=r"broke off after 8192 of 16384 bytes .*check the network"):
        take(served.url("/tool", Answer(CONTENT, cuts=2)), tmp_path)
    assert len(served.asked) == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_gone_is_no_matter_of_the_network(served: Publisher, tmp_path: Path, status: int) -> None:
    with pytest.raises(GoneError, match=f"the publisher has no such file any more, .*{status}") as caught:
        take(served.url("/tool", Answer(b"<Error>NoSuchKey</Error>", status=status)), tmp_path)
    assert "network" not in str(caught.value)
    assert served.asked == ["/tool"]


def test_a_server_that_fails_is_asked_once_more(served: Publisher, tmp_path: Path) -> None:
    with pytest.raises(TryLaterError, match=r"503.*the publisher's server fails: try later"):
        take(served.url("/tool", Answer(b"busy", status=503)), tmp_path)
    assert served.asked == ["/tool"] * 2


def test_a_proxy_that_refuses_is_named(served: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TryLaterError, match=r"the proxy refuses: .*407.*check HTTPS_PROXY"):
        take(served.url("/tool", Answer(status=407)), tmp_path)
    # The proxy of an https address is asked for a tunnel, which this server does not know.
    monkeypatch.setenv("https_proxy", served.address)
    with pytest.raises(TryLaterError, match=r"the proxy refuses: Tunnel connection failed: 501"):
        take("https://storage.invalid/tool", tmp_path)


def test_no_server_and_no_name_are_the_networks(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/tool", "http://nowhere.invalid/tool"):
        with pytest.raises(TryLaterError, match=r"could not be downloaded: .*\(check the network\)"):
            take(url, tmp_path)


def test_a_server_that_says_nothing_is_waited_for_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SILENCE_S", 0.2)
    timed_out = pytest.raises(TryLaterError, match=r"timed out \(check the network\)")
    with socket.create_server(("127.0.0.1", 0)) as silent, timed_out:
        take(f"http://127.0.0.1:{silent.getsockname()[1]}/tool", tmp_path)


def test_what_is_no_answer_of_http_is_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/tool"

        def answer() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(b"220 mail.example ready\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(TryLaterError, match=r"broke off: .*220 mail"):
            take(url, tmp_path)


def test_a_certificate_that_nobody_vouches_for_is_no_network(tmp_path: Path) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate in certificate chain"
    told = download._failed("https://storage.example/tool", URLError(error))
    assert not isinstance(told, TryLaterError)
    assert "self-signed certificate in certificate chain" in str(told)
    assert "SSL_CERT_FILE" in str(told)


def test_a_drip_is_too_slow_and_progress_is_told(
    served: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SHOWN_EVERY_S", 0.1)
    url = served.url("/tool", Answer(CONTENT, pause_s=0.08))
    content, said = take(url, tmp_path)
    assert content == CONTENT
    assert said
    assert all(line.startswith("downloading tool: ") and line.endswith(" % of 0.0 MB") for line in said)
    monkeypatch.setattr(download, "BASE_S", 0.1)
    monkeypatch.setattr(download, "LEAST_BYTES_PER_S", 1e6)
    with pytest.raises(TryLaterError, match=r"is too slow: 0.0 MB in"):
        take(url, tmp_path)


def test_a_redirect_is_followed_but_not_to_other_kinds_of_address(served: Publisher, tmp_path: Path) -> None:
    target = served.publish("/tool", CONTENT)
    moved = served.url("/moved", Answer(status=302, location=target))
    assert take(moved, tmp_path)[0] == CONTENT
    for away, words in (("ftp://127.0.0.1/tool", "only http"), ("file:///etc/passwd", "is not allowed")):
        with pytest.raises(EdgeproofError, match=words):
            take(served.url("/moved", Answer(status=302, location=away)), tmp_path)


@pytest.mark.parametrize(("status", "later"), [(400, False), (429, True), (451, False)])
def test_a_refusal_says_whether_trying_later_helps(served: Publisher, tmp_path: Path, status: int, later: bool) -> None:
    with pytest.raises(EdgeproofError, match=f"HTTP Error {status}") as caught:
        take(served.url("/tool", Answer(status=status)), tmp_path)
    assert isinstance(caught.value, TryLaterError) == later


def test_more_than_is_allowed_is_not_taken(served: Publisher, tmp_path: Path) -> None:
    url = served.url("/tool", Answer(CONTENT, length=False))
    with pytest.raises(EdgeproofError, match=r"has more than the 0 MB allowed"):
        take(url, tmp_path, most_bytes=1000)


def test_a_folder_that_cannot_be_written_is_not_the_networks(served: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EdgeproofError, match=r"cannot be written: .*EDGEPROOF_BINARIES"):
        take(served.publish("/tool", CONTENT), tmp_path / "file" / "cache")
