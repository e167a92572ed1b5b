"""Staying with a container: streams, exit status, signals, and an engine that is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from common.errors import EdgeproofError
from jobs.launch.attend import Ended, attend, signals

STUBBORN, OBEDIENT = {"SIGKILL"}, {"SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"}


class Fake:
    """A container that ends by itself with `status`, or, with None, at a signal in `ends_at`."""

    def __init__(self, status: int | None = None, ends_at: set[str] = OBEDIENT, error: Exception | None = None) -> None:
        self.sent: list[str] = []
        self._status = status
        self._ends_at = ends_at
        self._error = error
        self._end = Event()

    def frames(self) -> Iterator[tuple[int, bytes]]:
        yield 1, b"\x00out\xff\n"
        yield 2, b"err\n"
        if self._error is not None:
            raise self._error
        if self._status is None:
            self._end.wait()
        yield 1, b"end\n"

    def status(self) -> int:
        return 0 if self._status is None else self._status

    def send(self, signal_name: str) -> None:
        self.sent.append(signal_name)
        if signal_name in self._ends_at:
            self._end.set()


def test_streams_stay_apart_and_whole_and_the_status_is_passed_on(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    fake = Fake(status=7)
    with signals() as events:
        assert attend(fake, events) == 7
    assert capfdbinary.readouterr() == (b"\x00out\xff\nend\n", b"err\n")
    assert fake.sent == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_is_forwarded_and_decides_the_status(number: signal.Signals, status: int) -> None:
    fake = Fake()
    with signals() as events:
        # Through the kernel, as from a terminal.
        os.kill(os.getpid(), number)
        assert attend(fake, events) == status
    assert fake.sent == [number.name]


def test_a_job_that_does_not_listen_is_killed_after_the_grace() -> None:
    fake = Fake(ends_at=STUBBORN)
    with signals() as events:
        events.put(signal.SIGTERM)
        assert attend(fake, events, grace_s=0.05) == 143
    assert fake.sent == ["SIGTERM", "SIGKILL"]


def test_a_second_signal_kills_at_once() -> None:
    fake = Fake(ends_at=STUBBORN)
    with signals() as events:
        events.put(signal.SIGINT)
        events.put(signal.SIGINT)
        assert attend(fake, events, grace_s=60) == 130
    assert fake.sent == ["SIGINT", "SIGKILL"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_one_that_comes_again_from_others_of_its_group_kills_nothing(number: signal.Signals) -> None:
    fake = Fake(ends_at=STUBBORN)
    with signals() as events:
        for _ in range(3):
            events.put(number)
        events.put(Ended(0))
        assert attend(fake, events, grace_s=60) == 128 + number
    assert fake.sent == [number.name]


def test_ctrl_c_after_it_kills_at_once() -> None:
    fake = Fake(ends_at=STUBBORN)
    with signals() as events:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            events.put(number)
        assert attend(fake, events, grace_s=60) == 143
    assert fake.sent == ["SIGTERM", "SIGKILL"]


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_lost_engine_is_an_error_and_the_job_is_killed() -> None:
    fake = Fake(error=EdgeproofError("the container was lost"))
    with signals() as events, pytest.raises(EdgeproofError, match="was lost"):
        attend(fake, events)
    assert fake.sent == ["SIGKILL"]


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with signals():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def status_without_reader(script: Path, patience_s: float) -> int:
    """How a script ends whose output is read for ten bytes and no longer."""
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env={"PYTHONPATH": "."}) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        return process.wait(patience_s)


def test_a_reader_that_has_gone_ends_the_job(tmp_path: Path) -> None:
    script = tmp_path / "chatty.py"
    script.write_text(
        "from jobs.launch.attend import attend, signals\n"
        "class Chatty:\n"
        "    sent = []\n"
        "    def frames(self):\n"
        "        while True: yield 1, b'x' * 65536\n"
        "    def status(self): return 0\n"
        "    def send(self, name): self.sent.append(name)\n"
        "with signals() as events:\n"
        "    try: attend(Chatty(), events)\n"
        "    except BrokenPipeError: raise SystemExit(6 if Chatty.sent == ['SIGKILL'] else 9)\n",
        encoding="utf-8",
    )
    # 120 would be the interpreter's complaint about output that it could not flush.
    assert status_without_reader(script, 20) == 6


def test_an_engine_that_takes_no_signal_before_its_output_is_read_is_no_deadlock(tmp_path: Path) -> None:
    """So a real one behaves where a job writes without end and nobody reads: the signal waits, then times out."""
    script = tmp_path / "full.py"
    script.write_text(
        "from threading import Event\n"
        "from jobs.launch.attend import attend, signals\n"
        "class Full:\n"
        "    read = Event()\n"
        "    def frames(self):\n"
        "        for _ in range(64): yield 1, b'x' * 65536\n"
        "        self.read.set()\n"
        "    def status(self): return 0\n"
        "    def send(self, name):\n"
        "        if not self.read.wait(30): raise SystemExit(9)\n"
        "with signals() as events:\n"
        "    try: attend(Full(), events)\n"
        "    except BrokenPipeError: raise SystemExit(6)\n",
        encoding="utf-8",
    )
    assert status_without_reader(script, 60) == 6


def test_ended_carries_its_status() -> None:
    with signals() as events:
        events.put(Ended(3))
        assert attend(Fake(status=5), events) == 3
