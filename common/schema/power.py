"""What a device tells of its battery, and the energy that follows from it."""

from datetime import datetime
from typing import Literal

from common.schema.base import Count, Model, Share


class PowerReading(Model):
    """Battery and screen at a moment; None where the device does not tell or tells nonsense.

    `at_s` counts from the begin of a cell's load. `charge_uah` is what the counter says is left, by `counter`.
    `plugged` lists what it hangs on (AC, USB, wireless, dock). `frozen`: the service repeats old or made-up values.
    `connections` counts how often the device was found again.
    """

    at_s: float
    charge_uah: int | None
    counter: Literal["kernel", "service"] | None
    voltage_mv: Count | None
    level: Count | None
    celsius: float | None
    charging: bool
    plugged: tuple[str, ...]
    frozen: bool
    screen: str | None
    connections: Count


class Clock(Model):
    """A core's clock in kHz: now, as far as it may rise now, and as far as it can."""

    core: Count
    khz: Count | None
    limit_khz: Count | None
    most_khz: Count | None


class DeviceState(Model):
    """What decides how fast a device runs at a moment; None where it does not tell.

    `level` is the battery's in per cent. `saver`: the battery saver slows it down. `screen` is Android's word (Awake,
    Asleep, Dozing, Dreaming). `thermal_status` goes from 0 (none) to 6. `clocks` are of the cores that are on.
    """

    level: Count | None = None
    celsius: float | None = None
    charging: bool | None = None
    plugged: tuple[str, ...] = ()
    saver: bool | None = None
    screen: str | None = None
    thermal_status: Count | None = None
    clocks: tuple[Clock, ...] = ()


class StateLine(Model):
    """Ledger: the state of a device before a segment of a session, or after the session's last one (`ended`).

    Ledgers of earlier versions have none, and neither have those of this machine.
    """

    kind: Literal["state"] = "state"
    session: Count
    round: Count
    segment: Count
    attempt: Count
    ended: bool = False
    at: datetime
    state: DeviceState


class Energy(Model):
    """Energy of a cell's load by the charge counter, of the whole device.

    `mj` is per inference, in millijoules; `net_mj` without what an idle minute before took, or None with the reason
    in `no_net`. `resolution` is the counter's step as a share of the charge that was used.
    """

    kind: Literal["energy"] = "energy"
    mj: float
    net_mj: float | None
    no_net: str | None
    charge_uah: Count
    voltage_mv: float
    inferences: Count
    seconds: float
    resolution: Share


class NoEnergy(Model):
    """No energy can be told; `reason` says why in words."""

    kind: Literal["none"] = "none"
    reason: str
