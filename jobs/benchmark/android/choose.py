"""Which device the user means."""

import time
from collections.abc import Callable, Sequence

from common.adb.errors import NotReadyError
from common.adb.names import ANY
from common.adb.server import Attached, Server
from common.adb.states import remedy
from jobs.benchmark.android.reconnect import PAUSE_S, reach_again

# States that pass by themselves, or with a new connection.
ARRIVING = ("offline", "connecting", "authorizing")
SETTLE_S = 5.0
LIST = "python -m jobs.devices lists what is attached"


def choose(server: Server, wanted: str, clock: Callable[[], float] = time.monotonic) -> str:
    """Serial of a usable device: `any` for the only one, host:port connects first. A device that is just
    arriving is given a moment.

    Raises NotReadyError naming the state of what cannot be used and what to do.
    """
    deadline = clock() + SETTLE_S
    if _must_be_reached(server.attached(), wanted):
        server.connect(wanted)
    while True:
        attached = server.attached()
        try:
            return pick(attached, wanted)
        except NotReadyError:
            arriving = any(a.state in ARRIVING and wanted in (a.serial, ANY) for a in attached)
            # A device of the network was there or was reached above: its link broke just now, and can be made again.
            if not (arriving or _must_be_reached(attached, wanted)) or clock() >= deadline:
                raise
        reach_again(server, wanted)
        time.sleep(PAUSE_S)


def _must_be_reached(attached: Sequence[Attached], wanted: str) -> bool:
    """Whether it is a device of the network that the server does not know."""
    return ":" in wanted and not any(device.serial == wanted for device in attached)


def pick(attached: Sequence[Attached], wanted: str) -> str:
    """As `choose`, of what is attached. Pure."""
    if wanted == ANY:
        return _only(attached)
    found = next((device for device in attached if device.serial == wanted), None)
    if found is None:
        there = ", ".join(device.serial for device in attached) or "none"
        raise NotReadyError(f"no device {wanted} is attached (attached: {there})", hint=LIST)
    hint = remedy(found.state)
    if hint is not None:
        raise NotReadyError(f"device {wanted} is {found.state}", hint=hint)
    return wanted


def _only(attached: Sequence[Attached]) -> str:
    ready = [device.serial for device in attached if remedy(device.state) is None]
    if len(ready) == 1:
        return ready[0]
    if ready:
        raise NotReadyError(f"several devices are attached: {', '.join(ready)}", hint="choose one with DEVICE=<serial>")
    states = ", ".join(f"{device.serial} {device.state}" for device in attached) or "nothing is attached"
    hint = remedy(attached[0].state) if attached else "plug one in and allow USB debugging"
    raise NotReadyError(f"no device can be used: {states}", hint=hint)
