"""What comes back from a node, put in place: ledgers grow as they do there, files come whole, a folder's JSON last."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from common.artifact import own_file, sha256_file
from common.errors import EdgeproofError
from jobs.farm.manifest import Entry, inside
from jobs.farm.messages import LEDGER, Alive, Ended, Event, Grown, Made, Order, Piece, Said

AGAIN = "run the same command again"
Write = Callable[[int, bytes], None]


class ArrivalError(EdgeproofError):
    """What a node sent is not what it said, or not what it was asked for."""


class Inbox:
    """Takes the events of one job, in their order. Below `root` names are paths; `write` shows a line of the job on
    standard output (1) or error (2). `status` is the job's when everything has arrived."""

    def __init__(self, order: Order, root: Path, write: Write) -> None:
        self._order, self._root, self._write = order, root, write
        self._held = {entry.name for entry in order.held}
        self._due: list[Entry] = []
        self._begun = False
        self.status: int | None = None
        self.brought_bytes = 0
        self.files = 0

    def take(self, event: Event) -> None:
        """The next event. Raises ArrivalError for what cannot be put in place."""
        if isinstance(event, Said):
            self._write(event.stream, event.text)
        elif isinstance(event, Grown):
            self._grow(event)
        elif isinstance(event, Made):
            self._expect(event.files)
        elif isinstance(event, Piece):
            self._collect(event)
        elif isinstance(event, Ended):
            if self._due:
                raise ArrivalError(f"{self._path(self._due[0].name)} did not arrive", hint=AGAIN)
            self.status = event.status
        else:
            assert isinstance(event, Alive)  # noqa: S101

    def _path(self, name: str) -> Path:
        """Where a file belongs. Raises ArrivalError for a name that leads out of the folders that the job writes."""
        path = self._root / name
        if not inside(name, self._order.writes):
            raise ArrivalError(f"the node names {name!r}, which the job does not write", hint="see what that node runs")
        folders = [(self._root / folder).resolve() for folder in self._order.writes]
        if path.is_symlink() or not any(path.parent.resolve().is_relative_to(folder) for folder in folders):
            raise ArrivalError(f"{path} goes through a link", hint="remove it: a stage writes into its own folder only")
        return path

    def _grow(self, event: Grown) -> None:
        path = self._path(event.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with own_file(path, os.O_APPEND) as stream:
            if stream.seek(0, os.SEEK_END) != event.at:
                raise ArrivalError(f"{path} was changed while its job ran elsewhere", hint=AGAIN)
            stream.write(event.lines)
            stream.flush()
            os.fsync(stream.fileno())
        self.brought_bytes += len(event.lines)

    def _expect(self, files: tuple[Entry, ...]) -> None:
        for name in self._held - {entry.name for entry in files}:
            self._path(name).unlink(missing_ok=True)
        self._due = [entry for entry in files if not _is(self._path(entry.name), entry)]

    def _collect(self, piece: Piece) -> None:
        if not self._due or self._due[0].sha256 != piece.sha256:
            return
        path = self._path(self._due[0].name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.farm.partial")
        with partial.open("ab" if self._begun else "wb") as stream:
            stream.write(piece.data)
        self._begun = not piece.last
        self.brought_bytes += len(piece.data)
        if not piece.last:
            return
        if sha256_file(partial) != piece.sha256:
            partial.unlink()
            raise ArrivalError(f"{path} arrived damaged", hint=AGAIN)
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
        self.files += 1
        self._due.pop(0)


def _is(path: Path, entry: Entry) -> bool:
    with suppress(OSError):
        return path.stat().st_size == entry.size_bytes and sha256_file(path) == entry.sha256
    return False


def ready(folder: Path) -> None:
    """A folder that a job is to write, as a stage itself leaves it when it begins: no JSON that speaks of other files,
    nothing half written, and a ledger of whole lines."""
    for leftover in (*folder.glob("*.json"), *folder.glob(".*.partial")):
        leftover.unlink()
    ledger = folder / LEDGER
    if ledger.is_file():
        with own_file(ledger) as stream:
            content = stream.read()
            whole = content.rfind(b"\n") + 1
            if whole != len(content):
                stream.truncate(whole)
