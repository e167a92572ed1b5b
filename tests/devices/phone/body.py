"""A phone's battery and its heat, on a clock that work and waiting move."""

import math
from dataclasses import dataclass, replace

from tests.devices.phone.personality import Battery, Power

UAH_PER_MA_S = 1000 / 3600


@dataclass
class Body:
    """What the phone spent and how warm it is: `heat` from 0 (rested) to 1 (as hot as work makes it)."""

    how: Power
    begin: Battery
    seconds: float = 0.0
    heat: float = 0.0
    used_uah: float = 0.0
    work_uah: float = 0.0

    def live(self, seconds: float, *, works: bool) -> None:
        """Let time pass at work or at rest."""
        spent = (self.how.work_ma if works else self.how.rest_ma) * seconds * UAH_PER_MA_S
        self.used_uah += spent
        self.work_uah += spent if works else 0.0
        pull = 1 - math.exp(-seconds / (self.how.heats_s if works else self.how.cools_s))
        self.heat += ((1.0 if works else 0.0) - self.heat) * pull
        self.seconds += seconds

    @property
    def slowdown(self) -> float:
        """What heat makes of a latency, as a factor."""
        return 1 + (self.how.slowest - 1) * self.heat

    def battery(self, known: Battery) -> Battery:
        """The battery as its gauge shows it, in whole steps; it stays as it is at a cable."""
        used = 0.0 if known.usb_powered else self.used_uah
        charge = int((self.begin.charge_uah - used) // self.how.step_uah) * self.how.step_uah
        celsius = self.begin.temperature_c + self.how.warms_c * self.heat
        return replace(known, charge_uah=charge, temperature_c=celsius)
