"""Faults on order: what goes wrong, where, when, and for how long."""

import re
import threading
from dataclasses import dataclass, field
from enum import StrEnum

from tests.devices.phone.personality import Apps, Outputs

SEGMENTATION_FAULT = 11


class Kind(StrEnum):
    """Everything that can go wrong.

    Of the whole device: unauthorized, offline, frozen, no_shell_v2, slow_link, disk_full, logcat_flood, vanish,
    reboot: vanish, and start anew when back; hotplug: cores are switched off; slow: a command is answered late;
    survivors: programs whose host hung up run on even when they print; and apps: it treats the benchmark's app in
    another way.
    Of one process of the tool: crash, hang, silent_fallback, wrong_outputs, throttle, garbage, truncated; of the app's
    alone java_crash.
    """

    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    FROZEN = "frozen"
    NO_SHELL_V2 = "no_shell_v2"
    SLOW_LINK = "slow_link"
    DISK_FULL = "disk_full"
    LOGCAT_FLOOD = "logcat_flood"
    SURVIVORS = "survivors"
    VANISH = "vanish"
    REBOOT = "reboot"
    HOTPLUG = "hotplug"
    SLOW = "slow"
    CRASH = "crash"
    HANG = "hang"
    SILENT_FALLBACK = "silent_fallback"
    WRONG_OUTPUTS = "wrong_outputs"
    THROTTLE = "throttle"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    JAVA_CRASH = "java_crash"
    APPS = "apps"


class Point(StrEnum):
    """Where a fault waits: at once, at a shell command, a push, a pull, or a run of the tool (binary or app)."""

    NOW = "now"
    SHELL = "shell"
    PUSH = "push"
    PULL = "pull"
    TOOL = "tool"


OF_THE_DEVICE = frozenset(
    {
        Kind.UNAUTHORIZED,
        Kind.OFFLINE,
        Kind.FROZEN,
        Kind.NO_SHELL_V2,
        Kind.SLOW_LINK,
        Kind.DISK_FULL,
        Kind.LOGCAT_FLOOD,
        Kind.SURVIVORS,
        Kind.HOTPLUG,
        Kind.APPS,
    }
)

OF_A_COMMAND = frozenset({Kind.VANISH, Kind.REBOOT, Kind.SLOW})


@dataclass(frozen=True)
class Fault:
    """One order.

    `point`: where it waits; None is the kind's natural place. `matching`: a regular expression that must occur in
    the command or path. `skip`: how many matching events pass before. `times`: at how many it fires, None for all.
    `after_bytes`: how many bytes of the push or of the output still get through; for a full disk, how many are
    left. `seconds`: when a fault of the device, or the vanished device, is well again; None for never; how late a
    slow answer is. `boot_s`: how long a device that is back from a reboot takes to start, and is busy after that.
    `cores`: which ones are switched off.
    """

    kind: Kind
    point: Point | None = None
    matching: str = ""
    skip: int = 0
    times: int | None = 1
    after_bytes: int = 0
    seconds: float | None = None
    signal: int = SEGMENTATION_FAULT
    outputs: Outputs = Outputs.NAN
    bytes_per_s: int = 200_000
    lines: int = 20_000
    boot_s: float = 1.0
    cores: tuple[int, ...] = ()
    apps: Apps = field(default_factory=Apps)

    @property
    def place(self) -> Point:
        """The point, with the kind's own one for None."""
        if self.point is not None:
            return self.point
        if self.kind in OF_THE_DEVICE:
            return Point.NOW
        return Point.SHELL if self.kind in OF_A_COMMAND else Point.TOOL


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0
    fired: int = 0


class Faults:
    """Orders, and what became of them."""

    def __init__(self) -> None:
        """No orders."""
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        self.fired: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Add an order."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def disarm(self) -> None:
        """Forget every order that waits."""
        with self._lock:
            self._armed.clear()

    def take(self, point: Point, subject: str) -> list[Fault]:
        """The orders that this event fires; `subject` is its command or path."""
        due = []
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if fault.place is not point or not re.search(fault.matching, subject):
                    continue
                armed.seen += 1
                if armed.seen > fault.skip and (fault.times is None or armed.fired < fault.times):
                    armed.fired += 1
                    due.append(fault)
            self.fired += due
        return due

    def note(self, fault: Fault) -> None:
        """Record a fault that fired at once."""
        with self._lock:
            self.fired.append(fault)
