"""What a process takes: time, and the most memory that it alone had.

Between its fork and its exec a child has its parent's memory, and Linux counts that as the child's own most. So it is
started by a process of a few MB, which asks for what it took.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
STARTER = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as told:
    print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, file=told)
"""


@dataclass(frozen=True)
class Cost:
    """A process: its exit status (negative: by which signal), seconds of processor and of the clock, and the most
    memory."""

    status: int
    cpu_s: float
    wall_s: float
    peak_bytes: int


def spent(argv: Sequence[str], out: IO[bytes] | int, error: IO[bytes] | int | None = None) -> Cost:
    """A process from its start to its end, in the project's folder; `argv` begins with a path."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as told:
        start = time.monotonic()
        starter = [sys.executable, "-I", "-S", "-c", STARTER, told.name]
        subprocess.run([*starter, *argv], cwd=ROOT, stdout=out, stderr=error, check=True)
        wall_s = time.monotonic() - start
        status, cpu_s, peak_bytes = told.read().split()
    return Cost(int(status), float(cpu_s), wall_s, int(peak_bytes))
