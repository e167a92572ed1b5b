"""A make that is attended to its end."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

from common.stopping import on_stop


def attended(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Its exit status. A signal to this process is handed on, and ends this one when make has ended."""
    make = subprocess.Popen(argv, env=environment)  # noqa: S603
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not stopped:
            make.terminate()
        stopped.append(number)

    on_stop(stop)
    try:
        status = make.wait()
    except KeyboardInterrupt:
        # Of the terminal: all below get it too, and end in order.
        make.wait()
        raise
    if stopped:
        sys.exit(128 + stopped[0])
    return status
