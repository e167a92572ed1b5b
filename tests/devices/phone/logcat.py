"""The log: a ring of lines that programs write to and logcat reads and follows."""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

# As many lines as a phone's main buffer holds of short ones.
CAPACITY = 50_000
LEVELS = "VDIWEFS"


@dataclass(frozen=True)
class Line:
    """One line of the log; `when` in seconds since the epoch."""

    number: int
    when: float
    pid: int
    level: str
    tag: str
    text: str

    def shown(self, form: str) -> str:
        """The line as `logcat -v FORM` prints it."""
        if form == "raw":
            return self.text + "\n"
        if form == "brief":
            return f"{self.level}/{self.tag:<8}({self.pid:5d}): {self.text}\n"
        if form == "tag":
            return f"{self.level}/{self.tag:<8}: {self.text}\n"
        moment = datetime.fromtimestamp(self.when, UTC)
        stamp = f"{moment:%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
        if form == "time":
            return f"{stamp} {self.level}/{self.tag:<8}({self.pid:5d}): {self.text}\n"
        return f"{stamp} {self.pid:5d} {self.pid:5d} {self.level} {self.tag:<8}: {self.text}\n"


class Log:
    """Lines by number, the oldest dropped first."""

    def __init__(self) -> None:
        """An empty log."""
        self._lines: deque[Line] = deque(maxlen=CAPACITY)
        self._next = 0
        self._changed = threading.Condition()

    def write(self, when: float, pid: int, level: str, tag: str, text: str) -> None:
        """Add a line."""
        with self._changed:
            self._lines.append(Line(self._next, when, pid, level, tag, text))
            self._next += 1
            self._changed.notify_all()

    def clear(self) -> None:
        """logcat -c."""
        with self._changed:
            self._lines.clear()

    def since(self, number: int, timeout_s: float) -> list[Line]:
        """Lines from `number` on; waits that long for the first of them."""
        with self._changed:
            if self._next <= number:
                self._changed.wait(timeout_s)
            return [line for line in self._lines if line.number >= number]

    def lines(self) -> list[Line]:
        """Every line."""
        with self._changed:
            return list(self._lines)
