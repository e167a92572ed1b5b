"""Wait until a device that has just started is done with that: a phone that boots is slow, and not for long.

Forms: Android's property `sys.boot_completed`, the kernel's /proc/uptime and /proc/stat.
"""

import re
import time
from collections.abc import Callable

from common.adb.server import Device

# Before that a device may still be starting its apps.
YOUNG_S = 180.0
# It has settled when at most a quarter of its processors' time is used, over two seconds.
MOST_BUSY, SAMPLE_S = 0.25, 2.0
LONGEST_SETTLING_S = 60.0
BOOT_STEP_S = 1.0
IDLE_FIELDS = slice(3, 5)
LEAST_FIELDS = 5


def booted(device: Device) -> bool:
    """Whether Android says that it has started. Raises TransportError."""
    return device.run(["getprop", "sys.boot_completed"]).stdout.strip() == "1"


def uptime_s(device: Device) -> float | None:
    """For how long it has been running; None where it does not tell."""
    found = re.match(r"\s*(\d{1,10}(?:\.\d{1,6})?)\s", device.run(["cat", "/proc/uptime"]).stdout)
    return float(found[1]) if found else None


def wait_for_boot(
    device: Device,
    deadline: float,
    waiting: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether it has started before `deadline`. Raises TransportError."""
    while not booted(device):
        left = deadline - clock()
        if left <= 0:
            return False
        waiting(left)
        sleep(min(BOOT_STEP_S, left))
    return True


def settle(
    device: Device,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until the device has settled, at most a minute and not beyond `deadline`; returns the share of its
    processors' time that is used then. One that does not tell has settled. Raises TransportError."""
    deadline = min(deadline, clock() + LONGEST_SETTLING_S)
    before = _ticks(device)
    while True:
        sleep(SAMPLE_S)
        after = _ticks(device)
        share = busy_share(before, after)
        if share is None or share <= MOST_BUSY or clock() >= deadline:
            return share or 0.0
        before = after


def busy_share(before: tuple[int, ...], after: tuple[int, ...]) -> float | None:
    """Of the processors' time between two readings of /proc/stat; None where they do not tell."""
    if min(len(before), len(after)) < LEAST_FIELDS:
        return None
    spent = [late - early for early, late in zip(before, after, strict=False)]
    # Cores that went offline take their time with them.
    if sum(spent) <= 0 or min(spent) < 0:
        return None
    return 1 - sum(spent[IDLE_FIELDS]) / sum(spent)


def ticks(text: str) -> tuple[int, ...]:
    """All processors' time in /proc/stat, by what it went to; empty for another form."""
    found = re.match(r"cpu((?:[ \t]+\d{1,19}){5,10})[ \t\r]*\n", text)
    # The last two, of guests, are in the first two already.
    return tuple(int(word) for word in found[1].split())[:8] if found else ()


def _ticks(device: Device) -> tuple[int, ...]:
    return ticks(device.run(["cat", "/proc/stat"]).stdout)
