"""Which lines of a step a person must see. Pure.

On standard output only lines that say so are for people; what else stands there is progress. On standard error all
are, but for the ones known to mean nothing to a user: a message that nobody has seen yet is never held back.
"""

import re
from enum import Enum, auto

from jobs.steps.lines import STANDARD_ERROR

TOLD = re.compile(r"(?:.*  )?(?:note|warning|error|FAILED): ")
PROGRESS = re.compile(r"(?:.*  )?(?:epoch (\d+)/(\d+)|\[(\d+)/(\d+)\]) ")
# Of several devices each line begins with whose it is.
OF_ONE = re.compile(r"(\S.*?)  \[(\d+/\d+)\] ")
CHATTER = re.compile(
    "|".join(
        (
            # TensorFlow's own log, and absl's; a fatal one (F) is shown.
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] ",
            r"[IWE]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ \S+:\d+\] ",
            r"WARNING: All log messages before absl::InitializeLog\(\)",
            # TFLite's, and those of Python's logging.
            r"(?:INFO|VERBOSE|WARNING): ",
            r"(?:DEBUG|INFO|WARNING):[a-z_.]+:",
            r"fully_quantize: \d",
        )
    )
)
# Docker's build, step by step.
BUILD = re.compile(r"#\d+ |\+ \S")
WARNING = re.compile(r".*:\d+: (?:[A-Za-z]+Warning|Warning): ")


class Kind(Enum):
    """What becomes of a line: told to the user, shown while nothing newer is, or only kept in the log."""

    TOLD = auto()
    PROGRESS = auto()
    CHATTER = auto()


class Sieve:
    """Sorts the lines of one step, in their order."""

    def __init__(self) -> None:
        self._in_warning = False

    def sort(self, stream: int, line: str) -> Kind:
        """The kind of a line of standard output (1) or error (2)."""
        if stream != STANDARD_ERROR:
            return Kind.TOLD if TOLD.match(line) else Kind.PROGRESS
        # Python shows the line of code that warned, indented, below its warning.
        if self._in_warning and line.startswith("  "):
            return Kind.CHATTER
        self._in_warning = WARNING.match(line) is not None
        if self._in_warning or not line.strip():
            return Kind.CHATTER
        if BUILD.match(line):
            return Kind.PROGRESS
        return Kind.CHATTER if CHATTER.match(line) else Kind.TOLD


def share(line: str) -> float | None:
    """The share of its work that a step says is done. Only a training knows: a benchmark adds rounds as it goes."""
    found = PROGRESS.match(line)
    if found is None or found[1] is None or not int(found[2]):
        return None
    return min(1.0, int(found[1]) / int(found[2]))


class Several:
    """How far each of several devices is, which write into one terminal by turns."""

    def __init__(self) -> None:
        self._reached: dict[str, str] = {}

    def line(self, text: str) -> str:
        """A line of progress: as it is, or what all have reached where it is one of several."""
        found = OF_ONE.match(text)
        if found is None:
            return text
        self._reached[found[1]] = found[2]
        if len(self._reached) == 1:
            return text
        return " \N{MIDDLE DOT} ".join(f"{who} {reached}" for who, reached in self._reached.items())
