"""Several devices at once: a worker process for each, so that none waits for another."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from common.adb.names import HOST, safe_name
from common.errors import UsageError
from common.printable import tell
from common.stopping import on_stop

MINE = ("--devices", "--output", "--device")


def measure_on_all(serials: Sequence[str], arguments: Sequence[str], output: Path) -> int:
    """Run this stage once per device with the same arguments, each into its own folder below `output`.

    The exit status is 0 when all succeeded, else the highest of theirs. Ctrl-C, SIGTERM and SIGHUP reach all.
    """
    require_alike(serials)
    shared = without(arguments, MINE)
    workers = [_start(serial, shared, output / safe_name(serial)) for serial in serials]

    def forward(number: int, _frame: FrameType | None) -> None:
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(number)

    signal.signal(signal.SIGINT, forward)
    on_stop(forward)
    statuses = [worker.wait() for worker in workers]
    for serial, status in zip(serials, statuses, strict=True):
        if status:
            tell(f"note: {serial} ended with exit status {status}", sys.stderr)
    return max((status if status >= 0 else 128 - status) for status in statuses)


def require_alike(serials: Sequence[str]) -> None:
    """Raises UsageError for this machine among devices."""
    if HOST in serials and len(serials) > 1:
        raise UsageError("the host cannot be measured beside devices: it serves them", hint="measure it by itself")


def without(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    """The arguments without these options and their values."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in names:
            skip = True
        elif not argument.startswith(tuple(f"{name}=" for name in names)):
            kept.append(argument)
    return kept


def _start(serial: str, shared: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
    own = ("--device", serial, "--named", "--output", str(output.resolve()))
    argv = [sys.executable, "-m", "jobs.benchmark", *shared, *own]
    # A session of its own: a terminal's Ctrl-C comes through the handler above, once.
    return subprocess.Popen(argv, start_new_session=True)  # noqa: S603
