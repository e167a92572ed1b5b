"""Which device the user means."""

import time
from collections.abc import Callable, Sequence

from common.adb.attached import Attached, pick
from common.adb.errors import NotReadyError
from common.adb.identity import identity
from common.adb.names import ANY, is_address
from common.adb.server import Server
from jobs.benchmark.android.reconnect import PAUSE_S, reach_again

# States that pass by themselves, or with a new connection.
ARRIVING = ("offline", "connecting", "authorizing")
SETTLE_S = 5.0


def usable_serial(server: Server, wanted: str, clock: Callable[[], float] = time.monotonic) -> str:
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
            return pick(attached, wanted, identity)
        except NotReadyError:
            arriving = any(a.state in ARRIVING and wanted in (a.serial, ANY) for a in attached)
            # A device of the network was there or was reached above: its link broke just now, and can be made again.
            if not (arriving or _must_be_reached(attached, wanted)) or clock() >= deadline:
                raise
        reach_again(server, wanted)
        time.sleep(PAUSE_S)


def _must_be_reached(attached: Sequence[Attached], wanted: str) -> bool:
    """Whether it is a device of the network that the server does not know."""
    return is_address(wanted) and not any(device.serial == wanted for device in attached)
