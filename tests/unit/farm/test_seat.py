"""A job's place on a node, without Ray: real processes, real files."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from common.errors import TryLaterError
from jobs.farm import seat as seats
from jobs.farm.inbox import Inbox
from jobs.farm.manifest import entries, name_of
from jobs.farm.messages import Ended, Event, Grown, Made, Order, Piece, Said
from jobs.farm.seat import Seat, pieces

WRITES = """
import pathlib, sys
out = pathlib.Path(sys.argv[1])
print(pathlib.Path("in.txt").read_text(), flush=True)
print("careful", file=sys.stderr)
(out / "card.json").write_text("{}")
(out / "model").write_bytes(b"m" * 10)
with (out / "ledger.jsonl").open("a") as stream:
    stream.write("two\\n")
sys.exit(7)
"""


class Driver:
    """A folder of the driver's and a node's."""

    def __init__(self, tmp_path: Path) -> None:
        self.here, self.node = tmp_path / "driver", tmp_path / "node"
        (self.here / "out").mkdir(parents=True)
        (self.here / "in.txt").write_text("hello")

    def order(self, code: str) -> Order:
        writes = (name_of(Path("out"), self.here),)
        return Order(
            ("-c", code, "out"), name_of(self.here, self.here), entries([Path("in.txt")], self.here), writes,
            entries([Path("out")], self.here), (), "the same",
        )  # fmt: skip

    def seat(self, order: Order) -> tuple[Seat, tuple[str, ...]]:
        seat = Seat(self.node)
        missing = seat.open(order)
        by_hash = {entry.sha256: Path("/", entry.name) for entry in (*order.reads, *order.held)}
        sent = [piece for sha256 in missing for piece in pieces(by_hash[sha256], sha256)]
        if missing:
            seat.take(sent, all_sent=True)
        return seat, missing


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver(tmp_path)


def test_a_job_runs_on_what_was_sent_and_comes_back(driver: Driver) -> None:
    (driver.here / "out" / "ledger.jsonl").write_text("one\n")
    order = driver.order(WRITES)
    seat, missing = driver.seat(order)
    assert len(missing) == 2
    events: list[Event] = list(seat.run())
    assert Said(1, b"hello\n") in events
    assert Said(2, b"careful\n") in events
    assert [event.lines for event in events if isinstance(event, Grown)] == [b"two\n"]
    [made] = [event for event in events if isinstance(event, Made)]
    assert [Path(entry.name).name for entry in made.files][-1] == "card.json"
    assert events[-1] == Ended(7)
    inbox = Inbox(order, Path("/"), lambda _stream, _text: None)
    for event in events:
        inbox.take(event)
    assert inbox.status == 7
    assert (driver.here / "out" / "ledger.jsonl").read_text() == "one\ntwo\n"
    assert (driver.here / "out" / "model").read_bytes() == b"m" * 10
    # Nothing of the job stays but the files by their content.
    assert [path.name for path in (driver.node / "work").iterdir() if path.is_dir()] == []


def test_what_a_node_has_is_not_sent_again_nor_what_it_made(driver: Driver) -> None:
    order = driver.order(WRITES)
    seat, _ = driver.seat(order)
    inbox = Inbox(order, Path("/"), lambda _stream, _text: None)
    for event in seat.run():
        inbox.take(event)
    seat, missing = driver.seat(driver.order(WRITES))
    assert missing == ()
    assert not [event for event in seat.run() if isinstance(event, Piece) and event.data == b"m" * 10]


def test_another_content_of_as_many_bytes_comes_back(driver: Driver) -> None:
    (driver.here / "out" / "model").write_bytes(b"o" * 10)
    order = driver.order(WRITES)
    seat, _ = driver.seat(order)
    inbox = Inbox(order, Path("/"), lambda _stream, _text: None)
    for event in seat.run():
        inbox.take(event)
    assert inbox.status == 7
    assert (driver.here / "out" / "model").read_bytes() == b"m" * 10


def test_the_same_job_waits_for_the_one_that_was_given_up(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "GIVEN_UP_S", 0.2)
    held = driver.seat(driver.order(WRITES))
    with pytest.raises(TryLaterError, match="the same job still runs"):
        Seat(driver.node).open(driver.order(WRITES))
    assert held


def test_others_wait_while_files_are_sent_and_have_them_then(driver: Driver) -> None:
    first = Seat(driver.node)
    order = driver.order(WRITES)
    [wanted] = first.open(order)
    found: list[tuple[str, ...]] = []
    other = Order(("-c", ""), order.folder, order.reads, (), (), (), "another")
    waiting = threading.Thread(target=lambda: found.append(Seat(driver.node).open(other)))
    waiting.start()
    time.sleep(0.3)
    assert not found
    first.take(list(pieces(driver.here / "in.txt", wanted)), all_sent=True)
    waiting.join(5)
    assert found == [()]


def test_a_signal_reaches_the_job(driver: Driver) -> None:
    code = "import signal, sys, time\nsignal.signal(2, lambda *_: sys.exit(9))\nprint('up', flush=True)\ntime.sleep(60)"
    seat, _ = driver.seat(driver.order(code))
    events = []
    for event in seat.run():
        events.append(event)
        if isinstance(event, Said):
            seat.stop(signal.SIGINT)
    assert events[-1] == Ended(9)


def test_a_job_ends_with_whoever_wanted_it(tmp_path: Path) -> None:
    guard = Path(seats.__file__).with_name("guard.py")
    code = f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, str(guard), sys.executable, "-c", code], stdin=subprocess.PIPE)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_large_files_travel_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "PIECE_BYTES", 4)
    (tmp_path / "f").write_bytes(b"0123456789")
    assert [(p.data, p.last) for p in pieces(tmp_path / "f", "x")] == [
        (b"0123", False),
        (b"4567", False),
        (b"89", True),
    ]
    (tmp_path / "f").write_bytes(b"")
    assert [(p.data, p.last) for p in pieces(tmp_path / "f", "x")] == [(b"", True)]
