"""The server on loopback, asked as a browser asks, and as an attacker does."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from common.artifact import write_model
from common.errors import UsageError
from common.provenance import ROOT
from common.schema.results import Results
from jobs.serve.folders import is_known
from jobs.serve.page import STYLE
from jobs.serve.server import TYPES, Server, bound, port_of
from tests.unit.report import factories as f

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\"' onload=x"


def make_run(runs: Path, name: str, results: Results | None = None) -> Path:
    run = runs / name
    for folder in ("plan", "report", "best"):
        (run / folder).mkdir(parents=True)
    write_model(run / "report" / "results.json", f.results(choice=f.choice()) if results is None else results)
    (run / "report" / "report.html").write_text("<p>the report of " + name, encoding="utf-8")
    (run / "best" / "model_card.md").write_text("# card", encoding="utf-8")
    (run / "best" / "a.tflite").write_bytes(b"TFL3")
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    make_run(folder, "demo")
    (tmp_path / "secret").mkdir()
    for name in ("report.html", "secret.txt"):
        (tmp_path / "secret" / name).write_text("the secret", encoding="utf-8")
    return folder


@pytest.fixture
def server(runs: Path) -> Iterator[Server]:
    with bound(runs, 0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


Answer = tuple[int, dict[str, str], bytes]


def ask(server: Server, path: str, method: str = "GET", host: str | None = None) -> Answer:
    """A request whose path goes out as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", f"127.0.0.1:{server.server_address[1]}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.headers), answer.read()
    connection.close()
    return found


def raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while chunk := connection.recv(1 << 16):
            found += chunk
    return found


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_index_says_what_every_run_came_to_and_its_links_lead_there(server: Server) -> None:
    status, headers, body = ask(server, "/")
    page = Page(body.decode())
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    for told in ("Demo: synthetic flames", "2026-01-02 03:04 UTC", "baseline", "pruned_dynamic_range", "1.34", "host"):
        assert told in page.text
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {link for link in links if link} >= {"/demo/report/report.html", "/demo/report/results.json"}
    for link in links:
        assert link is not None and ask(server, link)[0] == 200
    assert ask(server, "/demo/report/report.html")[2] == b"<p>the report of demo"
    assert ask(server, "/demo/best/a.tflite")[2] == b"TFL3"


def test_the_index_can_be_read_by_everybody(server: Server) -> None:
    page = Page(ask(server, "/")[2].decode())
    tags = [tag for tag, _ in page.tags]
    assert page.tags[0] == ("html", {"lang": "en"}) and tags.count("h1") == 1 and "title" in tags
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert [each["scope"] for each in heads] == ["col"] * 8 + ["row"]
    # Blocks in a narrow window, where the roles of a table would be lost.
    assert all(attributes.get("role") for tag, attributes in page.tags if tag in ("table", "tr", "td", "th"))
    assert "prefers-color-scheme: dark" in STYLE and "max-width: 760px" in STYLE
    names = [attributes["aria-label"] for tag, attributes in page.tags if tag == "a" and "aria-label" in attributes]
    assert len(names) == len(set(names)) == 3


def test_the_newest_run_stands_first(server: Server, runs: Path) -> None:
    late = f.provenance("report").model_copy(update={"finished_at": f.WHEN.replace(year=2027)})
    make_run(runs, "a-late", f.results(title="Late one", provenance=(late,)))
    early = late.model_copy(update={"finished_at": f.WHEN.replace(year=2025)})
    make_run(runs, "z-early", f.results(title="Early one", provenance=(early,)))
    (runs / "begun" / "plan").mkdir(parents=True)
    (runs / "no run").mkdir()
    text = Page(ask(server, "/")[2].decode()).text
    assert text.index("Late one") < text.index("Demo: synthetic") < text.index("Early one")
    assert "no report yet" in text and "no run" not in text
    # A file that changed is read again.
    write_model(runs / "demo" / "report" / "results.json", f.results(title="Another title"))
    assert "Another title" in Page(ask(server, "/")[2].decode()).text


def test_words_of_a_run_are_shown_and_do_nothing(server: Server, runs: Path) -> None:
    hostile = f.results(title=HOSTILE, source=HOSTILE, targets=(f.host(HOSTILE),), measurements=())
    make_run(runs, 'x"><img src=x onerror=alert(1)>', hostile)
    body = ask(server, "/")[2].decode()
    page = Page(body)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "\x1b" not in body and "\u202e" not in body and "<script>alert(1)" in page.text
    links = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}
    [link] = [each for each in links if "img" in each and each.endswith("report.html")]
    assert ask(server, link)[2].startswith(b"<p>the report of x")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"title": "<script>"}', b"0" * 1000, None, "fifo", "link"],
)
def test_a_damaged_run_is_one_line_and_the_others_are_shown(server: Server, runs: Path, content: object) -> None:
    make_run(runs, "broken")
    path = runs / "broken" / "report" / "results.json"
    path.unlink()
    if content is None:
        path.mkdir()
    elif content == "fifo":
        os.mkfifo(path)
    elif content == "link":
        path.symlink_to(runs / "demo" / "report" / "results.json")
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    status, _, body = ask(server, "/")
    page = Page(body.decode())
    assert status == 200 and "Demo: synthetic flames" in page.text
    row = next(line for line in body.decode().splitlines() if "broken" in line)
    assert ("damaged: " in row or "no report yet" in row) and "Traceback" not in row and "<script>" not in row


SECRETS = (
    "/secret/secret.txt",
    "/../secret/report.html",
    "/demo/../../secret/report.html",
    "/demo/report/../../../secret/report.html",
    "/..%2f..%2fsecret/report/report.html",
    "/%2e%2e/secret/report.html",
    "/%2e%2e%2fsecret/report/report.html",
    "/demo%2freport/x/report.html",
    "/demo/report%2freport.html",
    "/demo/report/report.html%00.png",
    "/demo%00/report/report.html",
    "/./demo/report/report.html",
    "/demo//report/report.html",
    "/demo/report/..%5c..%5csecret.html",
    "//etc/passwd",
    "/etc/passwd/",
    "/outside/report/report.html",
    "/linked/report/report.html",
    "/linked/report/latency.png",
    "/linked/best/a.tflite",
    "/folder/report/report.html",
    "/demo",
    "/demo/",
    "/demo/report/",
    "/demo/report",
    "/demo/plan/report.html",
    "/demo/report/notes.txt",
    "/demo/report/.report.html.x.partial",
    "/demo/best/notes.tflite.py",
    "/demo/best/../plan/x.tflite",
    "/demo/best/.hidden.tflite",
    "/favicon.ico",
    "*",
    "http://evil.example/demo/report/report.html",
)


@pytest.mark.parametrize("path", SECRETS)
def test_nothing_else_is_served(server: Server, runs: Path, path: str) -> None:
    (runs / "outside").symlink_to(runs.parent / "secret")
    (runs.parent / "secret" / "report").mkdir()
    (runs.parent / "secret" / "report" / "report.html").write_text("the secret", encoding="utf-8")
    linked = make_run(runs, "linked")
    for name in ("report/report.html", "report/latency.png", "best/a.tflite"):
        (linked / name).unlink(missing_ok=True)
        (linked / name).symlink_to(runs.parent / "secret" / "secret.txt")
    (runs / "folder" / "plan").mkdir(parents=True)
    (runs / "folder" / "report").symlink_to(runs.parent / "secret")
    for name in ("report/notes.txt", "plan/report.html", "report/.report.html.x.partial", "best/.hidden.tflite"):
        (runs / "demo" / name).write_text("the secret", encoding="utf-8")
    status, headers, body = ask(server, path)
    assert status == 404 and body == b"404 Not Found\n"
    assert headers["X-Content-Type-Options"] == "nosniff" and "secret" not in str(headers)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""]
)
def test_a_page_from_elsewhere_that_means_this_machine_gets_nothing(server: Server, host: str) -> None:
    for path in ("/", "/demo/report/results.json"):
        status, _, body = ask(server, path, host=host)
        assert status == 421 and b"demo" not in body
    own = f"localhost:{server.server_address[1]}"
    assert ask(server, "/", host=own)[0] == 200
    port = str(server.server_address[1]).encode()
    both = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:" + port + b"\r\nHost: evil.example\r\n\r\n"
    assert raw(server, both).startswith(b"HTTP/1.0 421 ")
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 421 ")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_there_is_nothing_to_change(server: Server, method: str) -> None:
    status, headers, _ = ask(server, "/", method)
    assert status == 405 and headers["Allow"] == "GET, HEAD"


def test_head_is_get_without_the_body(server: Server) -> None:
    for path in ("/", "/demo/report/results.json", "/nothing"):
        (status, headers, body), (asked, told, full) = ask(server, path, "HEAD"), ask(server, path)
        assert (status, body) == (asked, b"")
        assert headers["Content-Length"] == told["Content-Length"] == str(len(full))


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html; charset=utf-8"), ("/demo/report/report.html", "text/html; charset=utf-8"),
     ("/demo/report/results.json", "application/json"), ("/demo/best/model_card.md", "text/plain; charset=utf-8"),
     ("/demo/best/a.tflite", "application/octet-stream"), ("/nothing", "text/plain; charset=utf-8")],
)  # fmt: skip
def test_every_answer_is_what_it_says_and_may_do_little(server: Server, path: str, kind: str) -> None:
    _, headers, _ = ask(server, path)
    policy = headers["Content-Security-Policy"]
    assert headers["Content-Type"] == kind and headers["X-Content-Type-Options"] == "nosniff"
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
    assert "sandbox" in policy or path == "/"
    # Scripts of a report, if it has any, run without an origin: they can ask for nothing here.
    assert ("script-src" in policy) == path.endswith("report.html") and "allow-same-origin" not in policy
    assert re.fullmatch(r"edgeproof", headers["Server"])


@pytest.mark.parametrize(
    "request_", [b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 70_000]
)
def test_what_is_no_request_does_not_end_the_server(server: Server, request_: bytes) -> None:
    found = raw(server, request_)
    assert b"Traceback" not in found and b"<script" not in found
    assert ask(server, "/")[0] == 200


def test_every_file_of_a_report_that_the_stage_writes_is_served() -> None:
    from jobs.report.stage import CHARTS, SHEETS

    made = (*CHARTS, *SHEETS.values(), "report.html", "report.md", "summary.md", "results.csv", "results.json")
    assert [name for name in made if not is_known("report", name) or Path(name).suffix not in TYPES] == []


def test_only_this_machine_is_listened_to(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("port", ["0", "-1", "65536", "x", "80 81", "٣"])
def test_a_port_that_is_none_is_said(port: str) -> None:
    with pytest.raises(UsageError, match="is no port"):
        port_of(port)


def test_a_port_that_is_taken_and_a_folder_that_is_not_there_are_said(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be had"):
        bound(tmp_path, int(server.server_address[1]))
    with pytest.raises(UsageError, match="is no folder"):
        bound(tmp_path / "nothing", 0)


def test_ctrl_c_ends_it_quietly(runs: Path) -> None:
    argv = [sys.executable, "-m", "jobs.serve", "--runs", str(runs)]
    with subprocess.Popen(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        told = process.stdout.readline()
        found = re.fullmatch(r".*: http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends it\)\n", told)
        assert found is not None, told
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=30)
        connection.request("GET", "/demo/report/results.json")
        assert json.loads(connection.getresponse().read())["title"] == "Demo: synthetic flames"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stdout.read() == "" and process.stderr.read() == ""
