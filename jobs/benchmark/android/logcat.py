"""Lines of a device's log, and what its own programs write when an app dies. Pure.

Form: `logcat -v threadtime`; AOSP's debuggerd, bionic, RuntimeInit, the zygote, ActivityManager and lmkd.
"""

import re
from dataclasses import dataclass

PACKAGE = "org.tensorflow.lite.benchmark"
ACTIVITY = f"{PACKAGE}/.BenchmarkModelActivity"
TOOL_TAG, ACTIVITY_TAG = "tflite", "tflite_BenchmarkModelActivity"
# What is written here before a start is older than whatever that start says.
MARK_TAG = "edgeproof"
JAVA_TAG, NATIVE_TAG, LIBRARY_TAG = "AndroidRuntime", "DEBUG", "libc"
DEATHS = {
    "ActivityManager": r"\(pid {number}\) has died|^Killing {number}:",
    "Zygote": r"^Process {number} exited",
    "lowmemorykiller": r"^Kill(?:ing)? '[^']*' \({number}\)",
}
CHOSEN = (TOOL_TAG, ACTIVITY_TAG, MARK_TAG, JAVA_TAG, NATIVE_TAG)
COMMAND = (
    *("logcat", "-v", "threadtime", "-s", *(f"{tag}:V" for tag in CHOSEN)),
    *(f"{LIBRARY_TAG}:F", *(f"{tag}:I" for tag in DEATHS)),
)
# Some versions print the year, the zone or the user too.
HEAD = re.compile(
    r"(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,9} +(?:[-+]\d{4} +)?(?:[\w.-]{1,32} +)?"
    r"(\d{1,10}) +\d{1,10} ([VDIWEFS]) "
)
MARKS = {"E": "ERROR: ", "F": "FATAL: ", "W": "WARN: "}
SIGNAL = re.compile(r"signal \d{1,3} \(\w{1,20}\)[^\n]{0,120}")
FATAL_SIGNAL = re.compile(r"Fatal (signal \d{1,3} \(\w{1,20}\)[^\n]{0,80}?)(?: in tid .*)?$")
CAUSE = re.compile(r"(?:Cause: |Abort message: )(.+)")


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
    line = line.rstrip("\r\n")
    found = HEAD.match(line)
    if found is None:
        return None
    tag, marked, message = line[found.end() :].partition(": ")
    if not marked:
        # Nothing but a tag: the message was an empty line.
        tag, marked, message = line[found.end() :].rpartition(":")
    return Entry(int(found[1]), found[2], tag.rstrip(), message) if marked else None


def died(found: Entry, process: int) -> bool:
    """Whether the system says that this process is gone."""
    if found.tag not in DEATHS:
        return False
    form = DEATHS[found.tag].format(number=process)
    return re.search(form, found.message) is not None


class Crash:
    """Why an app crashed, gathered from the lines that tell it; `tells` is their writer's process number."""

    def __init__(self, tells: int, tag: str) -> None:
        self.tells, self.tag = tells, tag
        self.words: list[str] = []
        self.whole = False

    def add(self, found: Entry) -> None:
        """Another line of the same writer."""
        message = found.message.strip()
        if found.tag == JAVA_TAG:
            self._java(found.message)
        elif found.tag == LIBRARY_TAG:
            self._say(FATAL_SIGNAL.search(message))
        elif found.tag == NATIVE_TAG:
            self._say(SIGNAL.match(message), CAUSE.match(message))
            # The registers and the stack come after all that says why.
            self.whole = self.whole or message.startswith(("backtrace:", "x0 ", "r0 ", "rax ", "eax "))

    def _java(self, message: str) -> None:
        if message.startswith(("\tat ", "    at ", " at ")):
            self.whole = bool(self.words)
        elif not message.startswith(("FATAL EXCEPTION", "Process: ", "PID: ")) and len(self.words) < 2:  # noqa: PLR2004
            # An exception that has words of several lines is still told by its first ones.
            self._add(message.strip())

    def _say(self, *found: re.Match[str] | None) -> None:
        for match in found:
            if match is not None:
                self._add(match[match.lastindex or 0].strip())

    def _add(self, words: str) -> None:
        same = words.partition(", ")[0]
        if words and not any(known.startswith(same) for known in self.words):
            self.words.append(words)


def crash(found: Entry, process: int | None, *, fresh: bool) -> Crash | None:
    """The beginning of a crash of the app: of this process, or of any of the package's where the log is `fresh` and
    the process is not known yet."""
    named = process is None and fresh
    if found.tag == LIBRARY_TAG and found.process == process and FATAL_SIGNAL.search(found.message):
        return Crash(found.process, found.tag)
    if found.tag == JAVA_TAG and found.level in ("E", "F"):
        ours = found.process == process or (named and f"Process: {PACKAGE}," in found.message)
        return Crash(found.process, found.tag) if ours else None
    number = re.match(r"pid: (\d{1,10}),", found.message) if found.tag == NATIVE_TAG else None
    if number is not None and (int(number[1]) == process or (named and f">>> {PACKAGE} <<<" in found.message)):
        return Crash(found.process, found.tag)
    return None
