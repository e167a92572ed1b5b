"""Whether a device that is waited for still answers at all.

A frozen adbd, and a phone that walked out of its Wi-Fi, keep the state `device` while every call hangs. So where
nothing comes for a while the device is asked for a service that none has: adbd refuses it without starting a program,
so that it may be asked beside a process that is timed.
"""

import time
from collections.abc import Callable

# Nothing has come for so long: ask. So long is waited for the refusal. Together a frozen device is known within 5 s.
QUIET_S, ASKED_S = 1.5, 2.0
# A device that is silent for so long is given up; what it was asked is asked again when it is back.
GIVEN_UP_S = 12.0
Told = Callable[[float | None], None]


class Watch:
    """One exchange with a device. `answers` asks it; `told` hears for how many seconds it has been silent, whenever it
    was asked in vain, and None when it answers again. `give_up` is called after GIVEN_UP_S, and has to raise."""

    def __init__(
        self,
        answers: Callable[[], bool],
        told: Told,
        give_up: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers, self._told, self._give_up, self._clock = answers, told, give_up, clock
        self._heard = clock()
        self._silent = False

    def heard(self) -> None:
        """Something moved."""
        self._heard = self._clock()
        if self._silent:
            self._silent = False
            self._told(None)

    def quiet(self) -> None:
        """Nothing has moved for QUIET_S."""
        if self._answers():
            self.heard()
            return
        self._silent = True
        silent_s = self._clock() - self._heard
        self._told(silent_s)
        if silent_s >= GIVEN_UP_S:
            self._give_up(silent_s)
