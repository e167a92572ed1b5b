"""A job's process on a node: its lines and its ledgers as they grow, until it ends."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from jobs.farm.messages import LEDGER, TICK_S, Alive, Grown, Said

POLL_S = 0.2
# What an ended process printed last lies in the pipe already; a server that it started may hold that open for good.
DRAIN_S = 2.0
LONGEST_LINE = 1 << 16
# Of a ledger in one message.
MOST_BYTES = 8 << 20


class Running:
    """A process under the guard. `ledgers` are by name the files whose whole lines are told as they come, and how many
    bytes of each are known already."""

    def __init__(
        self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], guard: Path, ledgers: "Ledgers"
    ) -> None:
        self._ledgers = ledgers
        self._lines: SimpleQueue[Said] = SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(guard), *argv],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        streams = ((1, self._process.stdout), (2, self._process.stderr))
        self._readers = [
            threading.Thread(target=self._read, args=(number, stream), daemon=True) for number, stream in streams
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, number: int, stream: IO[bytes]) -> None:
        for line in iter(lambda: stream.readline(LONGEST_LINE), b""):
            self._lines.put(Said(number, line))

    def events(self) -> Iterator[Said | Grown | Alive]:
        """What happens, to the end of the process; something at least every TICK_S."""
        told = time.monotonic()
        while self._process.poll() is None:
            for event in self._new(POLL_S):
                told = time.monotonic()
                yield event
            if time.monotonic() - told > TICK_S:
                told = time.monotonic()
                yield Alive()
        for reader in self._readers:
            reader.join(DRAIN_S)
        yield from self._new(0.0)

    def _new(self, wait_s: float) -> Iterator[Said | Grown]:
        with contextlib.suppress(Empty):
            yield self._lines.get(timeout=wait_s) if wait_s else self._lines.get_nowait()
            while True:
                yield self._lines.get_nowait()
        yield from self._ledgers.grown()

    def status(self) -> int:
        """The exit status, or 128 + the signal."""
        status = self._process.wait()
        return status if status >= 0 else 128 - status

    def stop(self, number: int) -> None:
        """Hand a signal on to the job."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def give_up(self) -> None:
        """Whoever wanted the job is gone: the guard ends it when this lets go of its input."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2 * 10.0)
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class Ledgers:
    """The ledgers below some folders of a job, and how much of each was told."""

    def __init__(self, root: Path, folders: Sequence[str], known: Mapping[str, int]) -> None:
        self._root = root
        self._folders = folders
        self.told = dict(known)

    def grown(self) -> Iterator[Grown]:
        """The whole lines that are new."""
        for folder in self._folders:
            path = self._root / folder / LEDGER
            if not path.is_file():
                continue
            name = path.relative_to(self._root).as_posix()
            at = self.told.get(name, 0)
            while path.stat().st_size > at:
                with path.open("rb") as stream:
                    stream.seek(at)
                    found = stream.read(MOST_BYTES)
                whole = found[: found.rfind(b"\n") + 1]
                if not whole:
                    break
                yield Grown(name, at, whole)
                at = self.told[name] = at + len(whole)
