"""Wait for a device that vanished, within a bound."""

import time
from collections.abc import Callable

from common.adb.errors import LimitError, NotReadyError, TransportError
from common.adb.server import Device, Server

PAUSE_S = 0.5
PROBE_S = 10.0
# For the last question: a device that is just back takes a moment for it.
LEAST_PROBE_S = 1.0


def answers(device: Device, limit_s: float = PROBE_S) -> bool:
    """Whether the device takes a command now. A frozen one keeps its state and takes none."""
    try:
        return device.answers() and device.run(["echo", "ready"], limit_s).stdout.strip() == "ready"
    except (TransportError, LimitError, NotReadyError):
        return False


def wait_for(server: Server, serial: str, deadline: float, waiting: Callable[[float], None]) -> bool:
    """Whether the device answers again before `deadline` of the monotonic clock; `waiting` hears the seconds that are
    left.

    A restarted server has forgotten the devices of the network, so those are connected to again.
    """
    while True:
        left = deadline - time.monotonic()
        if answers(Device(server, serial), min(PROBE_S, max(left, LEAST_PROBE_S))):
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        waiting(left)
        reach_again(server, serial)
        time.sleep(min(PAUSE_S, left))


def reach_again(server: Server, serial: str) -> None:
    """Connect again to a device of the network that the server has lost; a failure is the next try's."""
    try:
        state = {found.serial: found.state for found in server.attached()}.get(serial)
        if ":" in serial and state in (None, "offline"):
            server.disconnect(serial)
            server.connect(serial)
    except (TransportError, LimitError, NotReadyError):
        return
