"""The log of a device while the benchmark app runs. Pure.

Form: `logcat -v threadtime`. The app prints no start, no end and no exit status: success is its result, failure an
error line, a crash, or silence until the time limit.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

PACKAGE = "org.tensorflow.lite.benchmark"
ACTIVITY = f"{PACKAGE}/.BenchmarkModelActivity"
TOOL_TAG, ACTIVITY_TAG = "tflite", "tflite_BenchmarkModelActivity"
CRASH_TAGS = ("AndroidRuntime", "DEBUG")
COMMAND = ("logcat", "-v", "threadtime", "-s", *(f"{tag}:V" for tag in (TOOL_TAG, ACTIVITY_TAG, *CRASH_TAGS)))
HEAD = re.compile(r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +(\d{1,10}) +\d{1,10} ([VDIWEFS]) ")
RESULT = re.compile(
    r"(?:Memory footprint delta from the start of the tool|Peak memory footprint) \(MB\): init=\S+ overall="
)
# Comes after the result, where the tool was asked for it.
PEAK = re.compile(r"Overall peak memory footprint \(MB\) via periodic monitoring: ")
# What the GPU delegate says of a model that it takes a part of; the run goes on.
HARMLESS = re.compile(
    r"Following operations are not supported by GPU delegate|"
    r"^[A-Z0-9_]+: |"
    r"operations will run on the (?:GPU|CPU)|"
    r"No operations will run on the GPU"
)
MARKS = {"E": "ERROR: ", "F": "FATAL: ", "W": "WARN: "}


class Ending(StrEnum):
    """How a run of the app ended."""

    RESULT = "result"
    ERROR = "error"
    CRASH = "crash"


@dataclass(frozen=True)
class Entry:
    """A line of the log."""

    process: int
    level: str
    tag: str
    message: str

    @property
    def as_printed(self) -> str:
        """The line as the binary would have printed it."""
        return f"{MARKS.get(self.level, '')}{self.message}\n"


def entry(line: str) -> Entry | None:
    """One line; None for banners and for what is cut off."""
    found = HEAD.match(line)
    if found is None:
        return None
    tag, marked, message = line[found.end() :].partition(": ")
    return Entry(int(found[1]), found[2], tag.rstrip(), message) if marked else None


def ending(found: Entry, process: int | None = None, last: re.Pattern[str] = RESULT) -> Ending | None:
    """Whether this line ends the run; `process` is the app's number, once it is known, `last` what is said last."""
    if found.tag == TOOL_TAG:
        if last.search(found.message):
            return Ending.RESULT
        if found.level in ("E", "F") and not HARMLESS.search(found.message):
            return Ending.ERROR
    if found.tag in CRASH_TAGS and found.level in ("E", "F") and _of_the_app(found.message, process):
        return Ending.CRASH
    return None


def _of_the_app(message: str, process: int | None) -> bool:
    # AndroidRuntime: `Process: <package>, PID: 1`; debuggerd: `pid: 1, tid: 1, name: x  >>> <package> <<<`.
    if re.search(rf"(?:Process: |>>> ){re.escape(PACKAGE)}\b", message):
        return True
    return process is not None and message.startswith(f"pid: {process},")
