"""What a device tells of its battery, and the energy that follows from it."""

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
