"""Processes of the stand-in: numbers that can be listed, waited for and killed."""

import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


class Killed(Exception):  # noqa: N818
    """A process got a signal and ends."""

    def __init__(self, number: int) -> None:
        """`number` is the signal's."""
        super().__init__(number)
        self.number = number


@dataclass
class Process:
    """One process. Programs call `check` or `wait` so that a signal can reach them."""

    pid: int
    parent: int
    argv: tuple[str, ...]
    signal: int = 0
    woken: threading.Event = field(default_factory=threading.Event)
    ignores_hangup: bool = False
    # Processor time, in hundredths of a second.
    ticks: int = 0
    # The next program takes this process over, as with exec: a background job of one program is that program.
    becomes: bool = False
    # The cores that it may run on; None for all.
    mask: int | None = None

    def kill(self, number: int) -> None:
        """Send a signal; 0 only asks whether it is there."""
        if number and not (number == signal.SIGHUP and self.ignores_hangup):
            self.signal = number
            self.woken.set()

    def check(self) -> None:
        """Raises Killed if a signal came."""
        if self.signal:
            raise Killed(self.signal)

    def wait(self, seconds: float | None) -> None:
        """Sleep, None for ever. Raises Killed."""
        self.woken.wait(seconds)
        self.check()


class ProcessTable:
    """All processes by number."""

    def __init__(self) -> None:
        """Numbers start where a phone's would after boot."""
        self._lock = threading.Lock()
        self._next = 4001
        self._processes: dict[int, Process] = {}

    def start(self, argv: tuple[str, ...], parent: int = 1) -> Process:
        """A new process."""
        with self._lock:
            process = Process(self._next, parent, argv)
            self._processes[process.pid] = process
            self._next += 1
            return process

    def end(self, process: Process) -> None:
        """Forget a process that ended."""
        with self._lock:
            self._processes.pop(process.pid, None)

    def get(self, pid: int) -> Process | None:
        """The process with a number, None if there is none."""
        return self._processes.get(pid)

    def __iter__(self) -> Iterator[Process]:
        with self._lock:
            return iter(list(self._processes.values()))
