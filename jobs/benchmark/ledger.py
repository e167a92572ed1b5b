"""The ledger: one JSON line per process, appended as it ends, so that nothing measured is lost."""

import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.artifact import own_file
from common.errors import UsageError
from common.schema.benchmark import LedgerLine

_LINE: TypeAdapter[LedgerLine] = TypeAdapter(LedgerLine)


class Ledger:
    """An append-only file of ledger lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[LedgerLine] = _read(path)

    def append(self, line: LedgerLine) -> None:
        """Add a line and wait until it is on the disk."""
        with own_file(self.path, os.O_APPEND) as stream:
            stream.write(_LINE.dump_json(line) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.lines.append(line)


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
