"""Run a stage on a cluster for make: as it would run here, wherever it runs."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import FrameType

from common.artifact import no_link, only_writer
from common.errors import EdgeproofError, TryLaterError, UsageError
from common.job import IMAGES, Job, describe
from common.printable import tell
from jobs.farm.attempt import LOST, SIGNALS, carry
from jobs.farm.carry import LATER, PATIENCE_S, POLL_S
from jobs.farm.cluster import ADDRESS_VARIABLE
from jobs.farm.order import Task, runs_here, tasks

MOST_ATTEMPTS = 5
# A job puts its files, and a phone's, in order first.
STOP_S = 30.0


def address_of(environment: Mapping[str, str]) -> str:
    """host:port of the cluster's head. Raises UsageError."""
    address = environment.get(ADDRESS_VARIABLE, "")
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        hint = "give the head's host:port, as make farm prints it"
        raise UsageError(f"RUNTIME=ray needs {ADDRESS_VARIABLE}, and {address or 'nothing'} is none", hint=hint)
    return address


def described(stage: str, arguments: Sequence[str]) -> Job:
    """The job of a stage. Raises UsageError for a stage that is none."""
    if stage not in IMAGES:
        raise UsageError(f"{stage} is no stage", hint=f"give one of {', '.join(IMAGES)}")
    return describe(stage, import_module(f"jobs.{stage}.__main__").main, arguments)


def run(stage: str, arguments: Sequence[str]) -> int:
    """Run a stage; its exit status. In place of this process where it is this machine's alone."""
    address, job = address_of(os.environ), described(stage, arguments)
    experiment = Path(arguments[list(arguments).index("--experiment") + 1])
    if (why := runs_here(job, Path.cwd(), experiment)) is not None:
        print(f"{stage} runs on this machine: {why}", flush=True)
        os.execv(sys.executable, [sys.executable, *job.argv[1:]])  # noqa: S606
    todo = tasks(stage, job, os.environ)
    with ExitStack() as stack:
        for task in todo:
            for folder in task.writes:
                _hold(stack, folder)
        return _Attempts(stage, arguments, address).run(todo)


def attempt(stage: str, arguments: Sequence[str], serials: Sequence[str], *, again: bool, told: int) -> int:
    """One attempt at the tasks for some phones, or at the one that needs none. How it ended is written to the
    descriptor `told`: of a process that Ray ends, nothing is."""
    try:
        every = tasks(stage, described(stage, arguments), os.environ)
        todo = [task for task in every if task.serial in (serials or ("",))]
        status = carry(todo, address_of(os.environ), os.environ, again=again)
    except EdgeproofError as error:
        os.write(told, str(error.exit_code).encode())
        raise
    os.write(told, str(status).encode())
    return status


def _hold(stack: ExitStack, folder: Path) -> None:
    """One writer, as where the stage itself runs here."""
    no_link(folder, "remove it: a stage writes into its own folder only").mkdir(parents=True, exist_ok=True)
    stack.enter_context(only_writer(folder))


class _Attempts:
    """Attempts, one after the other, each a process: Ray ends a driver that loses its cluster."""

    def __init__(self, stage: str, arguments: Sequence[str], address: str) -> None:
        self._stage, self._arguments, self._address = stage, arguments, address
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = 0

    def run(self, todo: Sequence[Task]) -> int:
        """The exit status. Raises TryLaterError where the cluster stays away."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)
        began = time.time()
        for tried in range(MOST_ATTEMPTS):
            left = [task for task in todo if not _done(task, began)] if tried else todo
            status = self._one([task.serial for task in left if task.serial], again=tried > 0) if left else 0
            if self._stopped:
                return 128 + self._stopped
            if status != LOST:
                return status
            lost = f"the cluster at {self._address} is lost"
            tell(f"note: {self._stage}: {lost}; waiting for it, {PATIENCE_S:.0f} s at most")
            time.sleep(POLL_S)
            self._await_cluster()
        raise TryLaterError(f"the cluster at {self._address} was lost {MOST_ATTEMPTS} times", hint=LATER)

    def _one(self, serials: Sequence[str], *, again: bool) -> int:
        chosen = [part for serial in serials for part in ("--serial", serial)]
        argv = [sys.executable, "-m", "jobs.farm", "attempt", self._stage, *chosen, *(["--again"] if again else [])]
        read, told = os.pipe()
        # A session of its own: a terminal's Ctrl-C comes through the handler, once.
        self._process = subprocess.Popen(  # noqa: S603
            [*argv, "--told", str(told), "--", *self._arguments],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(told,),
        )
        os.close(told)
        self._process.wait()
        os.set_blocking(read, False)
        try:
            # Ray ends the process of a driver that it can do nothing for, with 1: its own status says nothing.
            return int(os.read(read, 16) or LOST)
        except BlockingIOError:
            return LOST
        finally:
            os.close(read)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            if not self._stopped:
                # One that is still joining, or whose node does not answer, hears nothing.
                last = threading.Timer(STOP_S, self._process.kill)
                last.daemon = True
                last.start()
        self._stopped = number

    def _await_cluster(self) -> None:
        host, _, port = self._address.rpartition(":")
        deadline = time.monotonic() + PATIENCE_S
        while not self._stopped:
            try:
                socket.create_connection((host, int(port)), timeout=POLL_S).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise TryLaterError(f"no cluster at {self._address} any more", hint=LATER) from None
                time.sleep(POLL_S)


def _done(task: Task, since: float) -> bool:
    """Whether a task has put its JSON in place, which comes last, since then (seconds since the epoch)."""
    return any(path.stat().st_mtime >= since for folder in task.writes for path in folder.glob("*.json"))
