"""A driver that Ray ends says nothing of how it went, and is started again; one that failed is not."""

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import TryLaterError
from jobs.farm import stage as stages
from jobs.farm.attempt import SIGNALS
from jobs.farm.order import Task

CODE = """
import os, pathlib, sys
told = int(sys.argv[sys.argv.index("--told") + 1])
count = pathlib.Path({count!r})
count.write_text(count.read_text() + "x")
{body}
"""


@pytest.fixture
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, body: str) -> tuple[int, int]:
    """The status, and how many attempts there were."""
    count = tmp_path / "count"
    count.write_text("")
    program = tmp_path / "python"
    code = CODE.format(count=str(count), body=body)
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    program.write_text(f'#!/bin/bash\nexec {sys.executable} {tmp_path / "code.py"} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(stages, "POLL_S", 0.01)
    monkeypatch.setattr(sys, "executable", str(program))
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        task = Task("train", "training", (), (), (), 1)
        status = stages._Attempts("train", ["--experiment", "x"], address).run([task])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status, len(count.read_text())


def test_a_failure_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    body = "os.write(told, b'3')\nsys.exit(3)"
    assert run(tmp_path, monkeypatch, address, body) == (3, 1)


def test_one_that_ray_ended_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    body = "if len(count.read_text()) < 3: os._exit(1)\nos.write(told, b'0')"
    assert run(tmp_path, monkeypatch, address, body) == (0, 3)


def test_a_cluster_that_is_lost_again_and_again_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with pytest.raises(TryLaterError, match="was lost 5 times"):
        run(tmp_path, monkeypatch, address, "os.kill(os.getpid(), 6)")


def test_a_cluster_that_stays_away_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(stages, "PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(TryLaterError, match=r"no cluster at \S+ any more"):
        run(tmp_path, monkeypatch, gone, "os._exit(1)")
