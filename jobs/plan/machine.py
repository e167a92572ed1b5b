"""What this machine is, as far as it decides what is measured on it. Read where make runs, which needs no package.

The stage's own fingerprint (in the ledger) has more facts; these are enough for make to call the stage.
"""

import os
import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
# Of /proc/cpuinfo: x86 first, then Arm. The others change from moment to moment or name the core.
LASTING = (
    *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features", "Hardware"),
)


def machine() -> dict[str, str]:
    """Its processor, cores, kernel and frequency governor."""
    return processor(_text(CPUINFO)) | {
        "cores": str(len(os.sched_getaffinity(0))),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "governor": _text(GOVERNOR).strip(),
    }


def processor(cpuinfo: str) -> dict[str, str]:
    """What lasts of /proc/cpuinfo, of every kind of core that there is."""
    found: dict[str, list[str]] = {}
    for line in cpuinfo.splitlines():
        label, colon, value = (part.strip() for part in line.partition(":"))
        if colon and label in LASTING and value not in found.setdefault(label, []):
            found[label].append(value)
    return {label: " | ".join(values) for label, values in found.items()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
