"""Processes that do not outlive the one that started them, however that ends. Linux."""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path


def end_with_parent() -> None:
    """From now on: whoever started this holds the other end of standard input."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os._exit(128 + signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def below(pid: int) -> list[int]:
    """A process and all that it started, and so on, the outer ones first."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, which may hold anything, stands in brackets.
            parents[int(entry.parent.name)] = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def end_all(pid: int) -> None:
    """End a process and all below it at once. Ray's agents, which watch for their raylet's end, may miss it."""
    for each in below(pid):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
