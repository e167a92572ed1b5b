"""Run the command of a step: its line, its log, and what a person must see of what it prints."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from common.printable import clean, tell
from common.stopping import leave_terminal, on_stop
from jobs.steps import log, todo, words
from jobs.steps.course import Course
from jobs.steps.estimate import Now
from jobs.steps.lines import STANDARD_ERROR, follow
from jobs.steps.screen import Screen, moves
from jobs.steps.sieve import Kind, Several, Sieve, share

# What these print is the result of the run.
ALOUD = ("report",)
SHOWN_LAST = 20
INTERRUPTED = 128 + signal.SIGINT


def run(folder: Path, stage: str, artifact: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; its exit status, or 128 + the signal that ended it. Raises OSError when it cannot be
    started. With V=1 it takes the place of this process, and prints what it likes."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    course = Course.of(folder, environment)
    step = course.step(stage, artifact)
    if environment.get("V") == "1":
        left = course.left(course.done(), Now(step, 0.0))
        tell(words.line(words.place(course.steps, step), time.time() - course.since, left))
        tell(shlex.join(command))
        os.execvp(command[0], list(command))  # noqa: S606
    name = f"{stage}-{step.variant}" if step.variant else stage
    with log.logging(folder, name, command) as kept:
        return _Running(course, step, kept, Screen(live=moves(sys.stdout, environment))).run(command)


class _Running:
    """A command that runs, and what was seen of it so far."""

    def __init__(self, course: Course, step: todo.Step, kept: log.Log, screen: Screen) -> None:
        self._course, self._step, self._log, self._screen = course, step, kept, screen
        self._done = course.done()
        self._where = words.place(course.steps, step)
        self._sieve = Sieve()
        self._several = Several()
        self._began = time.time()
        self._progress = ""
        self._share: float | None = None
        self._hidden: deque[str] = deque(maxlen=SHOWN_LAST)
        self._explained = False
        self._signal: int | None = None

    def run(self, command: Sequence[str]) -> int:
        self._screen.begin(self._line())
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603

        def receive(number: int, _frame: FrameType | None) -> None:
            if number == signal.SIGHUP:
                leave_terminal()
            # Ctrl-C reaches the command by itself: it is of the terminal's group too.
            if number not in (signal.SIGINT, self._signal):
                process.send_signal(number)
            self._signal = number

        signal.signal(signal.SIGINT, receive)
        on_stop(receive)
        for stream, line in follow(process):
            if line is None:
                self._screen.draw(self._line(self._progress))
            else:
                self._take(stream, line)
        return self._ended(process.wait())

    def _take(self, stream: int, line: bytes) -> None:
        self._log.write(line)
        text = line.decode(errors="replace").rstrip().expandtabs()
        if self._step.stage in ALOUD and stream != STANDARD_ERROR:
            self._finish()
            tell(text)
        elif (kind := self._sieve.sort(stream, text)) is Kind.TOLD:
            self._explained |= text.startswith("error: ")
            self._screen.say(text, sys.stderr if stream == STANDARD_ERROR else sys.stdout)
        elif text:
            self._hidden.append(text)
            if kind is Kind.PROGRESS:
                self._progress, self._share = clean(self._several.line(text)), share(text)
        self._screen.draw(self._line(self._progress))

    def _line(self, progress: str = "") -> str:
        now = time.time()
        left = self._course.left(self._done, Now(self._step, now - self._began, self._share))
        told = words.line(self._where, now - self._course.since, left)
        return f"{told} \N{MIDDLE DOT} {progress}" if progress else told

    def _finish(self) -> None:
        """Leave the line as it is at the end."""
        self._screen.end(words.line(self._where, time.time() - self._course.since, None))

    def _ended(self, status: int) -> int:
        if status == 0:
            self._finish()
            return 0
        self._screen.erase()
        code = status if status > 0 else 128 - status
        if self._signal is not None or code == INTERRUPTED:
            tell(f"{self._step.stage} was stopped; the same command goes on", sys.stderr)
            return code
        if not self._explained:
            for text in self._hidden:
                tell(text, sys.stderr)
        self._tell_failure(status)
        return code

    def _tell_failure(self, status: int) -> None:
        how = f"failed with exit status {status}" if status > 0 else f"was ended by {signal.Signals(-status).name}"
        which = f" of {self._step.variant}" if self._step.variant else ""
        where = "" if self._log.path is None else f"; all that it printed: {self._log.path}"
        tell(f"{self._step.stage}{which} {how}{where}", sys.stderr)
