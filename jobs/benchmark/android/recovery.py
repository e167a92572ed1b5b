"""Do something on a device that may vanish: wait for it, see that it is the same one, and do it again."""

import sys
from collections.abc import Callable
from typing import TypeVar

from common.adb import facts as device_facts
from common.adb.errors import LimitError, NotReadyError, TransportError
from common.adb.facts import DeviceFacts
from common.adb.server import Device
from common.adb.survey import survey
from common.errors import EdgeproofError
from common.printable import tell
from jobs.benchmark.android.reconnect import wait_for
from jobs.benchmark.targets import TargetLostError

# A model that takes the phone down every time is a result, not bad luck.
MOST_ATTEMPTS = 3
T = TypeVar("T")


class Recovery:
    """What a device was when it was found; `connections` counts how often it was found again.

    `belongs_to` is in the command line of all that is ours on the device, `forget` is called when nothing is known of
    it any more.
    """

    def __init__(self, device: Device, patience_s: float, belongs_to: str, forget: Callable[[], None]) -> None:
        self.device, self.patience_s, self.belongs_to = device, patience_s, belongs_to
        self.known: DeviceFacts | None = None
        self.connections = 0
        self._forget = forget

    def persist(self, call: Callable[[], T]) -> T:
        """Do something on the device; when it vanishes, wait for it and do it again from the start.

        Raises TargetLostError when it does not come back, TransportError when it vanishes every time.
        """
        for _ in range(MOST_ATTEMPTS - 1):
            try:
                return call()
            except (TransportError, NotReadyError) as lost:
                self._recover(lost)
            except LimitError as late:
                raise EdgeproofError(f"{self.device.serial}: {late.message}", hint="restart the device") from None
        try:
            return call()
        except TransportError as lost:
            self._recover(lost)
            raise

    def _recover(self, lost: TransportError | NotReadyError) -> None:
        serial = self.device.serial
        tell(f"{serial} vanished ({lost.message}); waiting for it", sys.stderr)
        device = wait_for(self.device.server, serial, self.patience_s)
        if device is None:
            message = f"{serial} vanished and did not come back within {self.patience_s:.0f} s"
            raise TargetLostError(message, hint="connect it again and run make again: only the rest is measured")
        self.connections += 1
        self.device.forget()
        self._forget()
        if isinstance(lost, TransportError) and lost.process is not None:
            self.device.end(lost.process, self.belongs_to)
        self._require_same()

    def _require_same(self) -> None:
        if self.known is None:
            return
        now = survey(self.device)
        if device_facts.lasting(now) != device_facts.lasting(self.known):
            message = f"{self.device.serial} is another device now: {now.manufacturer} {now.model}, {now.build}"
            raise TargetLostError(message, hint="connect the first one again, or measure into another folder")
