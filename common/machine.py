"""What this machine is, as far as it decides what is measured on it. With the standard library and the schema alone:
make asks where it runs, the benchmark where it measures."""

import os
import platform
from pathlib import Path

from common.processor import described, processor
from common.schema.processor import Processor

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
UNKNOWN = "not readable"
KIB_PER_GIB = 1 << 20
Facts = tuple[tuple[str, str], ...]


def machine() -> tuple[Processor, Facts]:
    """The processor, and everything that lasts from hour to hour in words."""
    # One name may stand for processors with other instruction sets, and these decide what is fast.
    cpu = processor(read_text(CPUINFO))
    return cpu, (
        ("CPU", cpu.name or platform.processor() or platform.machine()),
        *described(cpu, UNKNOWN),
        ("Cores usable", str(len(os.sched_getaffinity(0)))),
        ("Frequency governor", read_text(GOVERNOR)),
        ("Memory", _memory()),
        ("System", _system()),
        ("Kernel", platform.release()),
        ("Architecture", platform.machine()),
    )


def read_text(path: Path) -> str:
    """A file of the kernel's, without white space around it; UNKNOWN where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return UNKNOWN


def _memory() -> str:
    for line in read_text(MEMINFO).splitlines():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / KIB_PER_GIB:.1f} GiB"
    return UNKNOWN


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
