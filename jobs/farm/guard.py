"""Run a command that does not outlive whoever started this: standard input stays open as long as that lives.

Standard library only. SIGINT, SIGTERM and SIGHUP are handed on to the command and what it started.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

# Time for a job to put its files, and a phone's, in order.
GRACE_S = 10.0
PR_SET_PDEATHSIG = 1


def main(command: Sequence[str]) -> int:
    """The command's exit status, or 128 + the signal that ended it."""
    read = os.dup(0)
    job = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_parent)  # noqa: PLW1509, S603

    def forward(number: int, _frame: FrameType | None) -> None:
        _tell(job.pid, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    threading.Thread(target=_watch, args=(read, job.pid), daemon=True).start()
    status = job.wait()
    return status if status >= 0 else 128 - status


def _watch(read: int, group: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(read, 1):
            pass
    _tell(group, signal.SIGTERM)
    time.sleep(GRACE_S)
    _tell(group, signal.SIGKILL)


def _tell(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _die_with_parent() -> None:
    # Where this one is killed outright, nobody would be left to tell the command.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
