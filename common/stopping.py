"""To be stopped from outside: SIGTERM, and SIGHUP when a terminal is closed. Standard library only."""

import errno
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# A terminal's Ctrl-C is a third, which Python makes an exception of by itself.
STOPPED_BY = (signal.SIGTERM, signal.SIGHUP)


def on_stop(handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle SIGTERM and SIGHUP, but for one that this process was started to ignore, as nohup does."""
    for number in STOPPED_BY:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def end_in_order() -> None:
    """From now on the first of them ends this process with 128 + its number, and whatever is to be put in order is. A
    process group gets one more than once, from whoever stops it and from each make above: that breaks nothing off."""

    def stop(number: int, _frame: FrameType | None) -> None:
        on_stop(_pass)
        if number == signal.SIGHUP:
            leave_terminal()
        sys.exit(128 + number)

    on_stop(stop)


def leave_terminal() -> None:
    """Print to nowhere where it went to a terminal: writing to one that is closed is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextmanager
def closed_or_not() -> Iterator[None]:
    """Write to a terminal within. One that was closed is as a SIGHUP, which the kernel sends to the terminal's first
    process alone: make, where no shell is between, keeps it to itself."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        leave_terminal()
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.raise_signal(signal.SIGHUP)


def _pass(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN, which what is started for the clean-up would inherit."""
