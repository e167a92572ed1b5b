"""What this machine is, and how busy it is."""

import hashlib
import os
import platform
import time
from importlib import metadata
from pathlib import Path

from common.machine import machine, read_text
from common.schema.environment import Environment

STAT = Path("/proc/stat")
# Columns of its first line, in ticks since the start (proc_stat(5)).
IDLE, IOWAIT, COLUMNS = 3, 4, 8
WINDOW_S = 0.5
LOAD = "Load before the first process"


def host_environment() -> Environment:
    """Facts of this machine. Its fingerprint leaves out what changes from hour to hour (load)."""
    cpu, facts = machine()
    runtime = f"ai-edge-litert {metadata.version('ai-edge-litert')}, Python {platform.python_version()}"
    lasting = (*facts, ("Runtime", runtime))
    text = "\n".join(f"{label}={value}" for label, value in lasting)
    return Environment(
        kind="host",
        name="host",
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        functional_only=False,
        facts=(*lasting, (LOAD, f"{os.getloadavg()[0]:.2f}")),
        processor=cpu,
        passing=(LOAD,),
    )


def busy_cores(window_s: float = WINDOW_S) -> float:
    """How many cores the machine uses while this process waits for `window_s`; 0 where it cannot be read."""
    before = _ticks()
    time.sleep(window_s)
    spent = [after - start for start, after in zip(before, _ticks(), strict=True)]
    used = sum(spent) - spent[IDLE] - spent[IOWAIT]
    return used / sum(spent) * (os.cpu_count() or 1) if sum(spent) > 0 else 0.0


def _ticks() -> list[int]:
    words = read_text(STAT).partition("\n")[0].split()[1 : COLUMNS + 1]
    return [int(word) for word in words] if len(words) == COLUMNS else [0] * COLUMNS
