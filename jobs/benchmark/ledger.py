"""The ledger: one JSON line per process, appended as it ends, so that nothing measured is lost."""

import os
from collections.abc import Iterable
from pathlib import Path

from common.artifact import own_file
from common.errors import UsageError
from common.ledger import LINE, MOST_BYTES, MOST_LINE_BYTES, kept, read_lines
from common.schema.benchmark import (
    Cell,
    ExaminationLine,
    LedgerLine,
    MemoryLine,
    RunLine,
    SessionLine,
)
from common.schema.examination import Examination
from common.schema.outcome import MemoryOutcome
from common.schema.power import StateLine
from jobs.benchmark.session import Session

SMALLER = "lower [benchmark] num_runs, min_secs or rounds, or move the file away to measure everything again"


class Index:
    """What the lines so far come to: every session's state, memory and examinations. Grows with each line."""

    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}
        self._of_cell: dict[Cell, list[Session]] = {}
        self._examined: dict[tuple[int, Cell, int, bool | None], Examination] = {}
        self._memory: dict[tuple[int, Cell], list[MemoryOutcome]] = {}
        self._states: dict[int, list[StateLine]] = {}

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
        elif isinstance(line, MemoryLine):
            self._memory.setdefault((line.session, line.cell), []).append(line.outcome)
        elif isinstance(line, StateLine):
            self._states.setdefault(line.session, []).append(line)

    def sessions_of(self, cell: Cell) -> list[Session]:
        """Those that hold a cell, the latest last."""
        return self._of_cell.get(cell, [])

    def examination(self, session: int, cell: Cell, asked: tuple[int, bool | None]) -> Examination | None:
        """The one that was made with these settings: images that were answered, and whether there is a profile."""
        return self._examined.get((session, cell, *asked))

    def memory(self, session: int, cell: Cell) -> list[MemoryOutcome]:
        """How the processes ended that were run for a cell's memory, in order."""
        return self._memory.get((session, cell), [])

    def states(self, session: int) -> list[StateLine]:
        """The states of the place while a session was measured, in order."""
        return self._states.get(session, [])


def indexed(lines: Iterable[LedgerLine]) -> Index:
    """What these lines come to."""
    index = Index()
    for line in lines:
        index.add(line)
    return index


class Ledger:
    """An append-only file of ledger lines, or with no path one in memory, where the samples are left out."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lines: list[LedgerLine] = [] if path is None else _read(path)
        self.index = indexed(self.lines)

    def append(self, line: LedgerLine) -> None:
        """Add a line and wait until it is on the disk. Raises UsageError when the file would be too large to read."""
        if self.path is not None:
            text = LINE.dump_json(line) + b"\n"
            with own_file(self.path, os.O_APPEND) as stream:
                if len(text) > MOST_LINE_BYTES or stream.tell() + len(text) > MOST_BYTES:
                    bounds = f"{MOST_LINE_BYTES >> 20} MiB in a line and {MOST_BYTES >> 20} MiB in all"
                    raise UsageError(f"{self.path} has no room for more: {bounds} are allowed", hint=SMALLER)
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        self.lines.append(kept(line))
        self.index.add(self.lines[-1])


def check(path: Path) -> None:
    """Raise UsageError when the file holds a whole line that is no ledger line, or is too large; changes nothing."""
    if path.exists():
        for _ in read_lines(path):
            pass


def facts_of_sessions(path: Path) -> list[tuple[tuple[str, str], ...]]:
    """What every session says of its machine, in order. Raises UsageError as `check` does."""
    return [line.facts for line in read_lines(path) if isinstance(line, SessionLine)] if path.exists() else []


def _read(path: Path) -> list[LedgerLine]:
    if not path.exists():
        return []
    lines = list(read_lines(path))
    with own_file(path) as stream:
        # A job that was killed while it wrote leaves half a line; that process is measured again.
        at = stream.seek(0, os.SEEK_END)
        rest = stream.seek(max(0, at - MOST_LINE_BYTES - 1))
        whole = rest + stream.read().rfind(b"\n") + 1
        if whole != at:
            stream.truncate(whole)
    return lines
