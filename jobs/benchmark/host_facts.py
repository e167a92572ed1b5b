"""What this machine is."""

import hashlib
import os
import platform
import time
from importlib import metadata
from pathlib import Path

from common.schema.benchmark import Environment
from jobs.benchmark.processor import described, processor

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
STAT = Path("/proc/stat")
# Columns of its first line, in ticks since the start (proc_stat(5)).
IDLE, IOWAIT, COLUMNS = 3, 4, 8
WINDOW_S = 0.5
UNKNOWN = "not readable"
LOAD = "Load before the first process"
KIB_PER_GIB = 1 << 20


def host_environment() -> Environment:
    """Facts of this machine. Its fingerprint leaves out what changes from hour to hour (load)."""
    # One name may stand for processors with other instruction sets, and these decide what is fast.
    cpu = processor(_read_line(CPUINFO))
    lasting = (
        ("CPU", cpu.name or platform.processor() or platform.machine()),
        *described(cpu, UNKNOWN),
        ("Cores usable", str(len(os.sched_getaffinity(0)))),
        ("Frequency governor", _read_line(GOVERNOR)),
        ("Memory", _memory()),
        ("System", _system()),
        ("Kernel", platform.release()),
        ("Architecture", platform.machine()),
        ("Runtime", f"ai-edge-litert {metadata.version('ai-edge-litert')}, Python {platform.python_version()}"),
    )
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
    words = _read_line(STAT).partition("\n")[0].split()[1 : COLUMNS + 1]
    return [int(word) for word in words] if len(words) == COLUMNS else [0] * COLUMNS


def _read_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return UNKNOWN


def _memory() -> str:
    for line in _read_line(MEMINFO).splitlines():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / KIB_PER_GIB:.1f} GiB"
    return UNKNOWN


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
