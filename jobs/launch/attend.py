"""Stay with a running container: stream its output, forward signals, give back its exit status."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType
from typing import Protocol

# Time for a job to put its files in order after Ctrl-C.
GRACE_S = 10.0
STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REPEATED = (signal.SIGTERM, signal.SIGHUP)


class Attached(Protocol):
    """A running container, as `container.Running`."""

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """(1 or 2, bytes) to the end of the output."""

    def status(self) -> int:
        """Wait for the end; the exit status."""

    def send(self, signal_name: str) -> None:
        """Send a signal to the job."""


@dataclass(frozen=True)
class Ended:
    """The container has ended and is removed."""

    status: int


@dataclass(frozen=True)
class Broken:
    """The output can no longer be read or written."""

    error: Exception


Events = SimpleQueue[signal.Signals | Ended | Broken]


@contextmanager
def signals() -> Iterator[Events]:
    """Collect SIGINT, SIGTERM and SIGHUP instead of being ended by them, while a container may exist. One that this
    process was started to ignore, as nohup does, stays ignored."""
    # A SimpleQueue, because a signal handler may interrupt another put at any point.
    events: Events = SimpleQueue()

    def collect(number: int, _frame: FrameType | None) -> None:
        events.put(signal.Signals(number))

    heard = [number for number in FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, collect) for number in heard}
    try:
        yield events
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def attend(running: Attached, events: Events, grace_s: float = GRACE_S) -> int:
    """Wait for the end. The exit status is the job's, or 128 + the first signal that arrived.

    A signal is forwarded; the job is killed `grace_s` seconds later, or at a Ctrl-C after it. SIGTERM and SIGHUP that
    come again are the same one: a process group gets it at once from whoever stops it and from each make above.
    """
    pump = Thread(target=_pump, args=(running, events.put), daemon=True)
    pump.start()
    event = events.get()
    if not isinstance(event, signal.Signals):
        return _finish(event, running)
    running.send(event.name)
    print(f"{event.name}: stopping the job", file=sys.stderr, flush=True)
    last = _next(events, grace_s)
    if not isinstance(last, Ended):
        running.send("SIGKILL")
    while not isinstance(last, Ended | Broken):
        last = events.get()
    return 128 + event


def _next(events: Events, grace_s: float) -> signal.Signals | Ended | Broken | None:
    """What comes within the time and is no SIGTERM or SIGHUP."""
    deadline = time.monotonic() + grace_s
    while True:
        try:
            event = events.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            return None
        if event not in REPEATED:
            return event


def _finish(event: Ended | Broken, running: Attached) -> int:
    if isinstance(event, Ended):
        return event.status
    running.send("SIGKILL")
    running.status()
    raise event.error


def _pump(running: Attached, put: Callable[[Ended | Broken], None]) -> None:
    frames = running.frames()
    try:
        for stream, data in frames:
            _write(STANDARD_ERROR if stream == STANDARD_ERROR else STANDARD_OUTPUT, data)
        put(Ended(running.status()))
    except Exception as error:
        # The main thread raises it.
        put(Broken(error))
        # Read on: an engine that cannot get rid of a job's output may take no signal for it either.
        with suppress(Exception):
            for _ in frames:
                pass


def _write(descriptor: int, data: bytes) -> None:
    # Past Python's buffers: bytes appear at once, and nothing is left to flush into a pipe that broke.
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
