"""A job's place on a node: what it reads is brought there, it runs, and what it made is told file by file.

No Ray here: `jobs.farm.cluster` makes an actor of it.
"""

import contextlib
import hashlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from common.artifact import sha256_file
from common.errors import TryLaterError
from common.provenance import ROOT
from jobs.farm.identity import Identity, identity
from jobs.farm.manifest import Entry, files, name_of
from jobs.farm.messages import LEDGER, PIECE_BYTES, Ended, Event, Made, Order, Piece
from jobs.farm.running import Ledgers, Running
from jobs.farm.store import Store

FOLDER_VARIABLE, BYTES_VARIABLE = "EDGEPROOF_FARM", "EDGEPROOF_FARM_BYTES"
MOST_BYTES = 20 << 30
# A job that was given up puts a phone in order first.
GIVEN_UP_S = 40.0
# Others bring the same files: they are had when these are here.
SENDING_S = 1800.0
# Ray's own variables, and those that it sets for its workers, mean nothing to a job.
DROPPED = ("RAY_", "PYTHON", "OMP_NUM_THREADS")


def node_folder() -> Path:
    """Where this node keeps what it was sent, and where its jobs run."""
    return Path(os.environ.get(FOLDER_VARIABLE) or ROOT / ".cache" / "farm" / "node")


class Seat:
    """One job: `who`, `open`, `take` until nothing is missing, `run`. `stop` may be called beside `run`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or node_folder()
        self._held = ExitStack()
        self._sending = ExitStack()
        self._running: Running | None = None
        self._order: Order | None = None

    def who(self, stage: str) -> Identity:
        """What this node would run a stage with."""
        return identity(stage)

    def where(self) -> str:
        """The node's name, for people."""
        return f"{socket.gethostname()} ({self._folder.name})"

    def open(self, order: Order) -> tuple[str, ...]:
        """Take a job on: the contents that are missing here. Nobody else is sent any until they have arrived.

        Raises TryLaterError while an earlier run of the same job, which was given up, is still being ended.
        """
        self._order = order
        self._work().mkdir(parents=True, exist_ok=True)
        self._hold(self._held, self._folder / "work" / f"{_key(order)}.lock", GIVEN_UP_S, "the same job still runs")
        self._hold(self._sending, self._folder / "store.lock", SENDING_S, "another job is being sent its files")
        self._store = Store(self._folder / "store", int(os.environ.get(BYTES_VARIABLE) or MOST_BYTES))
        missing = self._store.missing((*order.reads, *order.held))
        if not missing:
            self._arrived()
        return missing

    def take(self, pieces: Sequence[Piece], *, all_sent: bool) -> None:
        """Pieces of contents. Raises DamagedError for one that is not what it is called."""
        for piece in pieces:
            self._store.take(piece.sha256, piece.data, last=piece.last)
        if all_sent:
            self._arrived()

    def _arrived(self) -> None:
        order, root = self._given(), self._work()
        shutil.rmtree(root, ignore_errors=True)
        for name in (order.folder, *order.writes):
            (root / name).mkdir(parents=True, exist_ok=True)
        for entry in order.reads:
            self._store.give(entry, root / entry.name, written=False)
        for entry in order.held:
            self._store.give(entry, root / entry.name, written=True)
        self._store.shrink()
        self._sending.close()

    def run(self) -> Iterator[Event]:
        """Run the job; everything that a driver must know of it."""
        order, root = self._given(), self._work()
        # Of a ledger alone a size says that there is nothing new: another file may have as many bytes as before.
        known = {entry.name: entry.size_bytes for entry in order.held if Path(entry.name).name == LEDGER}
        ledgers = Ledgers(root, order.writes, known)
        guard = Path(__file__).with_name("guard.py")
        running = self._running = Running(
            (sys.executable, *order.argv), root / order.folder, environment(order, ROOT), guard, ledgers
        )
        try:
            yield from running.events()
            status = running.status()
            yield from self._made(root, order, ledgers)
            yield Ended(status)
        finally:
            running.give_up()
            shutil.rmtree(root, ignore_errors=True)
            self._held.close()

    def _made(self, root: Path, order: Order, ledgers: Ledgers) -> Iterator[Made | Piece]:
        made = tuple(_ordered(root, order.writes))
        yield Made(made)
        # The driver has what it sent, and the lines of a ledger that it was told.
        there = {(entry.name, entry.sha256) for entry in order.held}
        for entry in made:
            path = root / entry.name
            if (entry.name, entry.sha256) not in there and ledgers.told.get(entry.name) != entry.size_bytes:
                yield from pieces(path, entry.sha256)
            with contextlib.suppress(OSError):
                self._store.adopt(path, entry.sha256)

    def stop(self, number: int) -> None:
        """Hand a signal on to the job, if it runs."""
        if self._running is not None:
            self._running.stop(number)

    def _given(self) -> Order:
        assert self._order is not None  # noqa: S101
        return self._order

    def _work(self) -> Path:
        return self._folder / "work" / _key(self._given())

    def _hold(self, stack: ExitStack, path: Path, wait_s: float, why: str) -> None:
        # Ray calls from whichever thread is free.
        lock = FileLock(path, timeout=wait_s, thread_local=False)
        try:
            stack.enter_context(lock)
        except Timeout:
            raise TryLaterError(f"{why} on {self.where()}", hint="run the same command again later") from None


def pieces(path: Path, sha256: str) -> Iterator[Piece]:
    """A file's content, piece by piece."""
    rest = path.stat().st_size
    with path.open("rb") as stream:
        while True:
            data = stream.read(PIECE_BYTES)
            rest -= len(data)
            yield Piece(sha256, data, last=rest <= 0 or not data)
            if rest <= 0 or not data:
                return


def environment(order: Order, root: Path) -> dict[str, str]:
    """The node's own variables, and the few that the driver hands on."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    return {**own, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1", **dict(order.environment)}


def _ordered(root: Path, folders: Sequence[str]) -> Iterator[Entry]:
    """The files of the written folders as they were written, a folder's own JSON last."""
    for folder in folders:
        found = [path for path in files(root / folder) if not path.is_symlink()]
        last = {path for path in found if path.parent == root / folder and path.suffix == ".json"}
        for path in sorted(found, key=lambda path: (path in last, path.stat().st_mtime_ns, path.name)):
            name = name_of(path.relative_to(root), Path("/"))
            yield Entry(name, sha256_file(path), path.stat().st_size)


def _key(order: Order) -> str:
    return hashlib.sha256(order.purpose.encode()).hexdigest()[:16]
