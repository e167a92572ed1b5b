"""Which phone it is that adb calls so: one has a name for its cable, one for its Wi-Fi, and more.

What the device says of itself decides. `ro.serialno` does not do it alone: cheap phones, emulators and containers have
the same one. The boot id, which the kernel draws when it starts (random(4)), is the same through every transport and
of no two kernels; containers share a kernel, and differ in their process namespace. After a reboot it is another one.
"""

import re

from common.adb.conversation import PATIENCE_S, converse
from common.adb.errors import NotReadyError

# One command line without anything from outside in it. Whatever the device has not, it says so elsewhere.
QUESTION = "shell:cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/pid; getprop ro.serialno"
BOOT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NAMESPACE = re.compile(r"pid:\[\d{1,12}\]")
MOST_BYTES = 1 << 12


def identity(serial: str, patience_s: float = PATIENCE_S) -> str | None:
    """What the device says of itself, the same under every name that adb has for it, until it is started again; None
    for one that does not tell, or does not answer within `patience_s`: its name is all that is known then."""
    try:
        with converse(patience_s) as server:
            server.ask(f"host:transport:{serial}")
            server.ask(QUESTION)
            return told(server.rest(MOST_BYTES))
    except NotReadyError:
        return None


def told(answer: str) -> str | None:
    """The identity in what a device answered."""
    lines = [line.strip() for line in answer.splitlines()]
    boot = next((line for line in lines if BOOT.fullmatch(line)), None)
    if boot is None:
        return None
    space = next((line for line in lines if NAMESPACE.fullmatch(line)), "")
    number = lines[-1] if lines[-1] not in (boot, space) else ""
    return " ".join(word for word in (boot, space, number) if word)
