"""Carry one task to a node and back: its files there, its lines and what it made here."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.errors import EdgeproofError, TryLaterError
from jobs.farm.cluster import Cluster, RemoteSeat
from jobs.farm.errors import LostError, NobodyHasError, RefusedError
from jobs.farm.identity import Identity, refusal
from jobs.farm.inbox import Inbox, Write, ready
from jobs.farm.manifest import Entry
from jobs.farm.messages import PIECE_BYTES, Order, Piece
from jobs.farm.order import Task, order
from jobs.farm.seat import pieces

# For a phone or a node that was there and is gone, and for a phone that another run uses.
PATIENCE_S = 180.0
# A node that is lost again and again is no place for the job.
MOST_TRIES = 5
POLL_S = 2.0
LATER = "the same command goes on where it was"
Say = Callable[[str], None]


@dataclass
class Stopping:
    """Whether whoever started this wants it to end; `seat` is told then."""

    number: int = 0
    seat: RemoteSeat | None = None

    @property
    def status(self) -> int | None:
        """The exit status of a job that was stopped; None while nobody wants that."""
        return 128 + self.number if self.number else None

    def stop(self, number: int) -> None:
        """Hand a signal on."""
        self.number = number
        if self.seat is not None:
            self.seat.stop(number)


@dataclass(frozen=True)
class Carrier:
    """Carries tasks for one driver: the cluster, this checkout's identity, where the driver is, and how it speaks.
    `again`: the task ran before in this run, so that what it needs was there once."""

    cluster: Cluster
    wanted: Identity
    cwd: Path
    environment: Mapping[str, str]
    write: Write
    say: Say
    again: bool = False

    def carry(self, task: Task, stopping: Stopping) -> int:
        """The task's exit status. Raises EdgeproofError: TryLaterError where a node or a phone stayed away."""
        was_there = self.again
        for tried in range(MOST_TRIES):
            if (status := stopping.status) is not None:
                return status
            try:
                seat = self._seat(task, was_there)
            except NobodyHasError as error:
                if was_there:
                    raise TryLaterError(f"{task.what} did not come back in {PATIENCE_S:.0f} s", hint=LATER) from None
                raise error from None
            was_there = True
            stopping.seat = seat
            try:
                return self._once(task, seat, stopping)
            except LostError as error:
                if (status := stopping.status) is not None:
                    return status
                left = f"; waiting for it, {PATIENCE_S:.0f} s at most" if task.serial else "; it runs again elsewhere"
                self.say(f"note: {task.what}: {error.message}{left if tried + 1 < MOST_TRIES else ''}")
            finally:
                stopping.seat = None
                seat.leave()
        raise TryLaterError(f"{task.what}: its node was lost {MOST_TRIES} times", hint=LATER)

    def _seat(self, task: Task, was_there: bool) -> RemoteSeat:
        """Raises NobodyHasError at once, or after a while where what is needed `was_there`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.cluster.seat(task.cpus, task.gpus, task.resources)
            except NobodyHasError:
                if not was_there or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)

    def _once(self, task: Task, seat: RemoteSeat, stopping: Stopping) -> int:
        where = self._ready(task, seat, stopping)
        if where is None:
            return 128 + stopping.number
        if (why := refusal(self.wanted, seat.who(task.stage), task.image)) is not None:
            raise RefusedError(f"{where} is not to run {task.stage}: {why}")
        for path in task.writes:
            ready(self.cwd / path)
        made = order(task, self.cwd, self.environment)
        files, sent = self._send(made, seat)
        inbox = Inbox(made, Path("/"), self.write)
        for event in seat.run():
            inbox.take(event)
        if inbox.status is None:
            raise LostError("the node broke off")
        there = len({entry.sha256 for entry in (*made.reads, *made.held)}) - files
        self.say(
            f"{task.what} ran on {where}: sent {files} files of {sent} bytes ({there} were there), "
            f"brought back {inbox.files} files, {inbox.brought_bytes} bytes in all"
        )
        return inbox.status

    def _ready(self, task: Task, seat: RemoteSeat, stopping: Stopping) -> str | None:
        """Name of the seat's node; None when it is to stop. A phone that stays taken is not waited for for ever; for a
        processor one waits in Ray's own queue."""
        began, told = time.monotonic(), False
        while not stopping.number:
            if (where := seat.ready(POLL_S)) is not None:
                return where
            if task.serial and time.monotonic() - began > PATIENCE_S:
                raise TryLaterError(f"{task.serial} is in use by another run", hint="run the same command again later")
            if not told and time.monotonic() - began > 2 * POLL_S:
                told = True
                self.say(f"{task.what} waits for its turn")
        return None

    def _send(self, made: Order, seat: RemoteSeat) -> tuple[int, int]:
        """How many contents were sent, and their bytes."""
        missing = set(seat.open(made))
        total = 0
        parcel: list[Piece] = []
        for piece in contents((*made.reads, *made.held), missing):
            parcel.append(piece)
            total += len(piece.data)
            if sum(len(each.data) for each in parcel) >= PIECE_BYTES:
                seat.take(parcel, all_sent=False)
                parcel = []
        if missing:
            seat.take(parcel, all_sent=True)
        return len(missing), total


def contents(entries: tuple[Entry, ...], missing: set[str]) -> Iterator[Piece]:
    """The pieces of the contents that are missing, each once."""
    left = set(missing)
    for entry in entries:
        if entry.sha256 in left:
            left.remove(entry.sha256)
            yield from pieces(Path("/", entry.name), entry.sha256)


def together(carrier: Carrier, tasks: tuple[Task, ...], stopping: tuple[Stopping, ...]) -> list[int | EdgeproofError]:
    """Carry tasks side by side, a thread for each; how each of them ended."""
    ended: dict[int, int | EdgeproofError] = {}

    def one(number: int) -> None:
        try:
            ended[number] = carrier.carry(tasks[number], stopping[number])
        except EdgeproofError as error:
            ended[number] = error

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            # A signal is heard between two of these.
            thread.join(0.2)
    broke_off = [TryLaterError(f"{task.what} broke off", hint=LATER) for task in tasks]
    return [ended.get(number, broke_off[number]) for number in range(len(tasks))]
