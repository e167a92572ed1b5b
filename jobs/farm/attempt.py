"""The process that is joined to Ray: it carries a stage's tasks. Ray ends it where the way to the cluster is lost."""

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from common.errors import EdgeproofError
from common.printable import tell
from jobs.farm.carry import Carrier, Stopping, together
from jobs.farm.cluster import joined
from jobs.farm.errors import LostError, NoClusterError
from jobs.farm.identity import identity
from jobs.farm.order import Task
from jobs.farm.parent import end_with_parent

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
# The cluster was lost: the caller waits for it and tries again.
LOST = 111
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def carry(tasks: Sequence[Task], address: str, environment: Mapping[str, str], *, again: bool) -> int:
    """Carry a stage's tasks at once; the highest exit status of theirs, or LOST."""
    end_with_parent()
    terminal = _Terminal(debug=bool(environment.get("EDGEPROOF_DEBUG")))
    try:
        with joined(address) as cluster:
            stopping = tuple(Stopping() for _ in tasks)

            def stop(number: int, _frame: FrameType | None) -> None:
                for each in stopping:
                    each.stop(number)

            for number in SIGNALS:
                signal.signal(number, stop)
            carrier = Carrier(
                cluster,
                identity(tasks[0].stage),
                Path.cwd(),
                environment,
                terminal.write,
                terminal.say,
                again=again,
            )
            ended = together(carrier, tuple(tasks), stopping)
        several = len(tasks) > 1
        return max(_status(task, each, terminal, several=several) for task, each in zip(tasks, ended, strict=True))
    except LostError as error:
        terminal.say(f"note: {error.message}")
        return LOST
    except NoClusterError as error:
        if again:
            # A head that has just been started again is not ready at once.
            return LOST
        terminal.error(error)
        return error.exit_code
    except EdgeproofError as error:
        terminal.error(error)
        return error.exit_code


def _status(task: Task, ended: int | EdgeproofError, terminal: "_Terminal", *, several: bool) -> int:
    if isinstance(ended, EdgeproofError):
        terminal.error(ended.of(task.serial) if several and task.serial not in ended.message else ended)
        return ended.exit_code
    if ended and several:
        terminal.error_line(f"note: {task.serial} ended with exit status {ended}")
    return ended


class _Terminal:
    """What a person sees, apart from what Ray's own libraries print on standard error."""

    def __init__(self, *, debug: bool) -> None:
        self._lock = threading.Lock()
        self._error = os.dup(STANDARD_ERROR)
        if not debug:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, STANDARD_ERROR)
            os.close(nowhere)
        self._stream = os.fdopen(os.dup(self._error), "w", encoding="utf-8", errors="replace")

    def write(self, stream: int, text: bytes) -> None:
        """A line of a job."""
        with self._lock:
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(self._error if stream == STANDARD_ERROR else STANDARD_OUTPUT, rest) :]

    def say(self, text: str) -> None:
        """A line of progress, or a note."""
        with self._lock:
            tell(text)

    def error(self, error: EdgeproofError) -> None:
        """What went wrong."""
        self.error_line(f"error: {error}")

    def error_line(self, text: str) -> None:
        """A line on standard error."""
        with self._lock:
            tell(text, self._stream)
