"""What one start of the benchmark app says, out of a log that others write to as well. Pure.

The app prints no exit status, the log may hold older starts with the same arguments, and keyboards, cameras and Play
services use its tag. So nothing counts but the lines of the process that names our own arguments, and those name a
start that is like no other. An error line is no end: delegates complain and go on. The end is the result, the tool's
own closing words, the process's death, or a silence in which nothing can be going on any more.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jobs.benchmark.android.classic import UNKNOWN_FLAGS
from jobs.benchmark.android.logcat import (
    ACTIVITY_TAG,
    MARK_TAG,
    TOOL_TAG,
    Crash,
    Entry,
    crash,
    died,
    entry,
)

GREETING = "Running TensorFlow Lite benchmark with args: "
RESULT = re.compile(
    r"(?:Memory footprint delta from the start of the tool|Peak memory footprint) \(MB\): init=\S+ overall="
)
# Comes after the result, where the tool was asked for it.
PEAK = re.compile(r"Overall peak memory footprint \(MB\) via periodic monitoring: ")
# After each of these the tool returns at once (benchmark_model.cc, benchmark_tflite_model.cc, since 2018).
CLOSING = re.compile(
    r"Failed to (?:apply \S+ delegate\.$|allocate tensors!|load model |mmap model |parse flag |set thread number$|"
    r"initialize (?:the interpreter|model loader)|construct interpreter)|Benchmarking failed\.|"
    r"Disallowed CPU fallback detected\.|Input tensor #\d+ should have \d+ dimensions!|"
    r"Please specify the name of your TF Lite input file"
)
# What the tool says next follows without any work between.
FIGURE = re.compile(r"count=\d|Inference timings in us: |Note: as the benchmark tool itself")
# logd cuts an entry at 4 KiB.
MOST_LOGGED = 3000


class Ending(StrEnum):
    """How a run of the app ended."""

    RESULT = "result"
    ERROR = "error"
    CRASH = "crash"
    SILENCE = "silence"


@dataclass(frozen=True)
class Waits:
    """How long the app may be silent, in seconds: until its first word, after an error, after a figure, and after the
    first line of a crash."""

    first_word_s: float = 30.0
    error_s: float = 20.0
    figure_s: float = 10.0
    crash_s: float = 3.0


class Reading:
    """A start of the app with `arguments`, joined as it was given them; `mark` stands in the log before it."""

    def __init__(self, arguments: str, last: re.Pattern[str] = RESULT, mark: str = "") -> None:
        self.arguments, self.last, self.mark = arguments, last, mark
        self.process: int | None = None
        self.ending: Ending | None = None
        self._fresh = False
        self._crash: Crash | None = None
        self._death = ""
        self._said: list[Entry] = []

    @property
    def text(self) -> str:
        """Everything that the process said, as the binary would have printed it."""
        return "".join(found.as_printed for found in self._said)

    @property
    def why(self) -> str:
        """Why it crashed or died, in the log's words."""
        words = "; ".join(self._crash.words) if self._crash is not None and self._crash.words else self._death
        fatal = [found.message for found in self._said[-1:] if found.level in ("E", "F")]
        return "; ".join(word for word in (words, *fatal) if word) or "without a word"

    def add(self, line: str) -> bool:
        """A line of the log; whether it is of our process."""
        found = entry(line)
        if found is None:
            return False
        if found.tag == ACTIVITY_TAG and self._names_us(found.message):
            self._begin(found.process)
        if self.ending is not None:
            return False
        own = self._is_ours(found)
        if own and found.tag == TOOL_TAG:
            self._tool(found)
        elif self._gather(found):
            return True
        elif self.process is not None and died(found, self.process):
            self._death, self.ending = found.message, Ending.CRASH
        return own

    @property
    def crashed(self) -> bool:
        """Whether a crash of it has begun to be told."""
        return self._crash is not None

    def patience_s(self, waits: Waits) -> float | None:
        """How long nothing may come from our process now; None until the time limit."""
        if self._crash is not None:
            return waits.crash_s
        if self.process is None:
            return waits.first_word_s
        if self._said and FIGURE.match(self._said[-1].message):
            return waits.figure_s
        return waits.error_s if self._said and self._said[-1].level in ("E", "F") else None

    def give_up(self) -> Ending:
        """The patience is over, or the log."""
        if self.ending is None:
            self.ending = Ending.SILENCE if self.process is None else Ending.ERROR
            if self._crash is not None:
                self.ending = Ending.CRASH
        return self.ending

    def _begin(self, process: int) -> None:
        """Bind to the process that names our arguments; had another named the same before, it was an older start."""
        self.process, self.ending = process, None
        self._crash, self._death, self._said = None, "", []

    def _is_ours(self, found: Entry) -> bool:
        if self.process is None and found.tag == MARK_TAG and self.mark and found.message.strip() == self.mark:
            self._fresh = True
        return found.process == self.process

    def _names_us(self, message: str) -> bool:
        if not message.startswith(GREETING):
            return False
        said, own = (" ".join(text.split()) for text in (message.removeprefix(GREETING), self.arguments))
        # The app adds the folder of its libraries for Hexagon.
        before = said.partition(" --hexagon_lib_path=")[0]
        return own in (said, before) or (len(said) > MOST_LOGGED and own.startswith(said))

    def _tool(self, found: Entry) -> None:
        if not found.message.strip():
            return
        self._said.append(found)
        if self.last.search(found.message):
            self.ending = Ending.RESULT
        elif UNKNOWN_FLAGS.search(found.message) or (found.level == "E" and CLOSING.match(found.message)):
            self.ending = Ending.ERROR

    def _gather(self, found: Entry) -> bool:
        """Take a line of a crash of ours; whether it is one."""
        begun = self._crash
        if begun is None or (begun.tag != found.tag and begun.tells == self.process):
            begun = crash(found, self.process, fresh=self._fresh) or begun
        if begun is None or (found.process, found.tag) != (begun.tells, begun.tag):
            return False
        if self._crash is not None and self._crash is not begun:
            begun.words = [*self._crash.words]
        self._crash = begun
        begun.add(found)
        if begun.whole:
            self.ending = Ending.CRASH
        return True


def read(lines: Iterable[str], arguments: str, last: re.Pattern[str] = RESULT, mark: str = "") -> Reading:
    """A whole log."""
    reading = Reading(arguments, last, mark)
    for line in lines:
        reading.add(line)
    reading.give_up()
    return reading
