"""The ledger: one JSON line per process, appended as it ends, so that nothing measured is lost."""

import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.artifact import own_file
from common.errors import UsageError
from common.schema.benchmark import (
    Cell,
    ExaminationLine,
    LedgerLine,
    RunLine,
    SessionLine,
)
from common.schema.examination import Examination
from jobs.benchmark.session import Session

_LINE: TypeAdapter[LedgerLine] = TypeAdapter(LedgerLine)


class Index:
    """What the lines so far come to: every session's state and the examinations. Grows with each line."""

    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}
        self._of_cell: dict[Cell, list[Session]] = {}
        self._examined: dict[tuple[int, Cell, int, bool | None], Examination] = {}

    @property
    def last(self) -> Session | None:
        """The session that began last."""
        return next(reversed(self.sessions.values()), None)

    def add(self, line: LedgerLine) -> None:
        """Take in a line."""
        if isinstance(line, SessionLine):
            session = self.sessions[line.session] = Session(line)
            for cell in line.cells:
                self._of_cell.setdefault(cell, []).append(session)
        elif isinstance(line, RunLine):
            if line.session in self.sessions:
                self.sessions[line.session].add(line)
        elif isinstance(line, ExaminationLine):
            self._examined[line.session, line.cell, line.outputs_images, line.profile] = line.examination

    def sessions_of(self, cell: Cell) -> list[Session]:
        """Those that hold a cell, the latest last."""
        return self._of_cell.get(cell, [])

    def examination(self, session: int, cell: Cell, asked: tuple[int, bool | None]) -> Examination | None:
        """The one that was made with these settings: images that were answered, and whether there is a profile."""
        return self._examined.get((session, cell, *asked))


class Ledger:
    """An append-only file of ledger lines, or with no path one in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lines: list[LedgerLine] = [] if path is None else _read(path)
        self.index = Index()
        for line in self.lines:
            self.index.add(line)

    def append(self, line: LedgerLine) -> None:
        """Add a line and wait until it is on the disk."""
        if self.path is not None:
            with own_file(self.path, os.O_APPEND) as stream:
                stream.write(_LINE.dump_json(line) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        self.lines.append(line)
        self.index.add(line)


def check(path: Path) -> None:
    """Raise UsageError when the file holds a whole line that is no ledger line; changes nothing."""
    if path.exists():
        _parse(path, _whole_lines(path.read_bytes()))


def _read(path: Path) -> list[LedgerLine]:
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = _whole_lines(content)
    if whole != content:
        # A job that was killed while it wrote leaves half a line; that process is measured again.
        with own_file(path) as stream:
            stream.truncate(len(whole))
    return _parse(path, whole)


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _parse(path: Path, whole: bytes) -> list[LedgerLine]:
    lines = []
    for number, text in enumerate(whole.splitlines(), start=1):
        try:
            lines.append(_LINE.validate_json(text))
        except ValidationError:
            hint = "remove the file to measure everything again"
            raise UsageError(f"{path}, line {number} is not a ledger line", hint=hint) from None
    return lines
