"""The current line: rewritten in place on a terminal, once per step anywhere else."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from common.printable import tell
from common.stopping import closed_or_not
from jobs.steps.course import SIDE_BY_SIDE
from jobs.steps.words import clipped

# To the first column, and what stands there erased: of every terminal that moves a cursor at all.
ERASE = "\r\x1b[K"
LEAST_COLUMNS, USUAL_COLUMNS = 20, 80


def moves(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a line of the stream can be rewritten. Not where steps run side by side, each over the other's line."""
    dumb = environment.get("TERM", "dumb") == "dumb"
    return stream.isatty() and not dumb and SIDE_BY_SIDE not in environment.get("MAKEFLAGS", "")


class Screen:
    """One step's part of the terminal. Without `live` there is never a control character."""

    def __init__(self, *, live: bool) -> None:
        self._live = live

    def begin(self, line: str) -> None:
        """The line of a step that starts."""
        if self._live:
            self.draw(line)
        else:
            with closed_or_not():
                tell(line)

    def draw(self, line: str) -> None:
        """The line as it is now."""
        if self._live:
            _write(ERASE + clipped(line, _columns() - 1))

    def say(self, text: str, stream: TextIO) -> None:
        """A line that stays."""
        self.erase()
        with closed_or_not():
            tell(text, stream)

    def end(self, line: str) -> None:
        """The line as it stays, below which there is none; elsewhere it stands there since the start."""
        if self._live:
            self.draw(line)
            _write("\n")
            self._live = False

    def erase(self) -> None:
        """Take the line away."""
        if self._live:
            _write(ERASE)


def _write(text: str) -> None:
    with closed_or_not():
        sys.stdout.write(text)
        sys.stdout.flush()


def _columns() -> int:
    try:
        found = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return USUAL_COLUMNS
    return max(LEAST_COLUMNS, found) if found else USUAL_COLUMNS
