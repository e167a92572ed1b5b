"""Run the makes of the graph for the make above, which knows only the one process that its recipe became.

A shell that is ended by SIGTERM leaves the make that it runs behind, with all that this has started; so it gives its
place to this, which hands SIGTERM on and ends after everything below it has.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

from common.stopping import leave_terminal, on_stop
from jobs.steps.lines import STANDARD_ERROR

# A step says itself why it fails; that make had to give up is said once, by the make above.
NOISE = re.compile(
    rb"make\[\d+\]: (\*\*\* (\[graph\.mk:.* (Error \d+|Terminated|Interrupt)$|Waiting for )|Target .* not remade)"
)
# Where a step says it, past NOISE.
TOLD = 9


def run(commands: Sequence[Sequence[str]]) -> int:
    """Run them in turn while they succeed; the exit status of the last, or 128 + the signal that ended it."""
    return _Graph().run(commands)


class _Graph:
    def __init__(self) -> None:
        self._make: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(self, commands: Sequence[Sequence[str]]) -> int:
        os.dup2(STANDARD_ERROR, TOLD)
        on_stop(self._stop)
        # Ctrl-C reaches all below by itself: they are of the terminal's group too.
        signal.signal(signal.SIGINT, lambda *_: None)
        status = 0
        for command in commands:
            status = self._one(command)
            if status:
                break
        return status

    def _one(self, command: Sequence[str]) -> int:
        # The descriptors of make's own jobs (-j) are handed on, as a shell does.
        make = subprocess.Popen(command, stderr=subprocess.PIPE, close_fds=False)  # noqa: S603
        self._make = make
        if self._stopped:
            make.terminate()
        for line in make.stderr or ():
            if not NOISE.match(line):
                # Nobody may read it any more: the run goes on, as its artifacts are what counts.
                with contextlib.suppress(OSError):
                    os.write(STANDARD_ERROR, line)
        status = make.wait()
        return status if status >= 0 else 128 - status

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
        if self._make is not None and not self._stopped:
            # Make hands this one on to its steps, where it only waits for them after SIGHUP.
            self._make.terminate()
        self._stopped = True
