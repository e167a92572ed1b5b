"""Do something on a device that may vanish: wait for it, see that it is the same one, and do it again.

A device is away from its first loss until it answers, has started, and is seen to be the same; whatever is lost in
between is the same loss. All of it together takes `patience_s` at most.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from common.adb.cores import same
from common.adb.errors import LimitError, NotReadyError, TimeLimitError, TransportError
from common.adb.facts import DeviceFacts
from common.adb.server import Device, Server
from common.adb.survey import survey
from common.adb.watch import ASKED_S
from common.errors import EdgeproofError
from common.printable import tell
from jobs.benchmark.android import arrival
from jobs.benchmark.android.files import PREFIX
from jobs.benchmark.android.reconnect import PAUSE_S, wait_for
from jobs.benchmark.targets import TargetLostError

# A model that takes the phone down every time is a result, not bad luck.
MOST_ATTEMPTS = 3
# Between two lines that say how much longer is waited.
COUNT_EVERY_S = 20.0
# Of the clocks of both sides.
ROUNDING_S = 1.0
AGAIN = "run make again: only the rest is measured"
Trouble = TransportError | NotReadyError | TimeLimitError
T = TypeVar("T")


class Recovery:
    """The device, what it was when it was found, and how often it was found again (`connections`).

    `forget` is called when nothing is known any more of what is on it.
    """

    def __init__(self, server: Server, serial: str, patience_s: float, forget: Callable[[], None]) -> None:
        self.device = Device(server, serial, self._silent)
        self.patience_s = patience_s
        self.known: DeviceFacts | None = None
        self.connections = 0
        self._forget = forget
        self._has_started = False
        self._counted_at: float | None = None
        self._deadline: float | None = None

    def persist(self, call: Callable[[], T]) -> T:
        """Do something on the device; when it vanishes or is slow, wait for it and do it again from the start.

        Raises TargetLostError when it does not come back, TransportError when it vanishes every time.
        """
        losses, slow_since = 0, None
        while True:
            try:
                return call()
            except TimeLimitError as late:
                slow_since = time.monotonic() if slow_since is None else slow_since
                self._recover(late, slow_since)
            except LimitError as over:
                raise EdgeproofError(f"{self.device.serial}: {over.message}", hint="restart the device") from None
            except (TransportError, NotReadyError) as lost:
                losses, slow_since = losses + 1, None
                silent_s = lost.silent_s if isinstance(lost, TransportError) else 0.0
                self._recover(lost, time.monotonic() - silent_s)
                self.connections += 1
                if losses == MOST_ATTEMPTS:
                    raise TransportError(lost.message) from None

    def greet(self) -> None:
        """Say it at once where the device does not answer; whoever asks it next is silent for a while otherwise."""
        if not self.device.answers():
            self._silent(ASKED_S)

    def arrive(self) -> None:
        """Wait until a device that was started a moment ago is done with that. Raises TransportError."""
        up_s = arrival.uptime_s(self.device)
        if up_s is not None and up_s < arrival.YOUNG_S:
            self._settle(time.monotonic() + self.patience_s)
        self._has_started = arrival.booted(self.device)
        # One that says nothing to what it does not know was announced, and answers all the same.
        self._counted_at = None

    def _recover(self, trouble: Trouble, since: float) -> None:
        """Return when the device is there again, as it was. Raises TargetLostError."""
        serial, deadline = self.device.serial, since + self.patience_s
        self._deadline = deadline
        left_behind = set[int]()
        # Silence was announced while it was waited for.
        if self._counted_at is None:
            self._say(_what(trouble, serial), deadline - time.monotonic())
        while True:
            if isinstance(trouble, TransportError) and trouble.process is not None:
                left_behind.add(trouble.process)
            try:
                if time.monotonic() >= deadline and isinstance(trouble, TimeLimitError):
                    raise self._lost(trouble)
                if not wait_for(self.device.server, serial, deadline, partial(self._count, trouble)):
                    raise self._lost(trouble)
                self._find_again(left_behind, since, deadline)
            except (TransportError, NotReadyError, TimeLimitError) as again:
                # The same loss: it was back for a moment.
                trouble = again
                if time.monotonic() >= deadline:
                    raise self._lost(trouble) from None
                time.sleep(PAUSE_S)
            else:
                tell(f"{serial} is back after {time.monotonic() - since:.0f} s", sys.stderr)
                self._counted_at = self._deadline = None
                return

    def _find_again(self, left_behind: set[int], since: float, deadline: float) -> None:
        self.device.forget()
        self._forget()
        if self._has_started and (not arrival.booted(self.device) or self._was_restarted(time.monotonic() - since)):
            self._settle(deadline)
        for process in left_behind:
            self.device.end(process, PREFIX)
        self._require_same()

    def _was_restarted(self, away_s: float) -> bool:
        up_s = arrival.uptime_s(self.device)
        return up_s is not None and up_s < away_s + ROUNDING_S

    def _settle(self, deadline: float) -> None:
        serial = self.device.serial
        starting = TransportError("is starting", serial=serial)
        # Something else than before is waited for: it is said at once.
        self._counted_at = None
        if not arrival.wait_for_boot(self.device, deadline, partial(self._count, starting)):
            if self._has_started:
                raise self._lost(starting)
            tell(f"warning: {serial} does not say that it has started; measuring all the same", sys.stderr)
        share = arrival.settle(self.device, deadline)
        if share > arrival.MOST_BUSY:
            tell(f"warning: {serial} was started a moment ago and is busy ({share:.0%} of its cores)", sys.stderr)

    def _require_same(self) -> None:
        if self.known is None:
            return
        now = survey(self.device)
        if not same(now, self.known):
            message = f"{self.device.serial} is another device now: {now.manufacturer} {now.model}, {now.build}"
            raise TargetLostError(message, hint="connect the first one again, or measure into another folder")

    def _lost(self, trouble: Trouble) -> TargetLostError:
        serial = self.device.serial
        if isinstance(trouble, TimeLimitError):
            message = f"{_what(trouble, serial)}, again and again for {self.patience_s:.0f} s"
            return TargetLostError(message, hint=f"restart the device and {AGAIN}")
        message = f"{_what(trouble, serial)} and did not come back within {self.patience_s:.0f} s"
        return TargetLostError(message, hint=f"connect it again, or restart it, and {AGAIN}")

    def _silent(self, silent_s: float | None) -> None:
        """Heard while something is waited for."""
        serial, now = self.device.serial, time.monotonic()
        if silent_s is not None:
            deadline = now - silent_s + self.patience_s if self._deadline is None else self._deadline
            self._count(TransportError("does not answer", serial=serial), deadline - now)
        elif self._counted_at is not None and self._deadline is None:
            self._counted_at = None
            tell(f"{serial} answers again", sys.stderr)

    def _count(self, trouble: Trouble, left_s: float) -> None:
        """Say now and then how much longer is waited."""
        if self._counted_at is None or time.monotonic() - self._counted_at >= COUNT_EVERY_S:
            self._say(_what(trouble, self.device.serial), left_s)

    def _say(self, what: str, left_s: float) -> None:
        self._counted_at = time.monotonic()
        tell(f"{what}; waiting, {max(left_s, 0):.0f} s left", sys.stderr)


def _what(trouble: Trouble, serial: str) -> str:
    """What is wrong with the device, in words."""
    said = trouble.message.removeprefix(f"{serial}: ")
    if isinstance(trouble, TimeLimitError):
        return f"{serial} is slow ({said})"
    if said in ("does not answer", "is starting"):
        return f"{serial} {said}"
    return f"{serial} vanished ({said})"
