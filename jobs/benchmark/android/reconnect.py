"""Wait for a device that vanished, within a bound."""

import time
from collections.abc import Callable

from common.adb.errors import LimitError, NotReadyError, TransportError
from common.adb.server import Device, Server

PAUSE_S = 0.5
PROBE_S = 10.0


def answers(device: Device) -> bool:
    """Whether the device takes a command now. A frozen one keeps its state and takes none."""
    try:
        return device.run(["echo", "ready"], PROBE_S).stdout.strip() == "ready"
    except (TransportError, LimitError, NotReadyError):
        return False


def wait_for(
    server: Server,
    serial: str,
    patience_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Device | None:
    """The device once it answers again; None when it does not in time.

    A restarted server has forgotten the devices of the network, so those are connected to again.
    """
    deadline = clock() + patience_s
    while True:
        device = Device(server, serial)
        if answers(device):
            return device
        if clock() >= deadline:
            return None
        reach_again(server, serial)
        sleep(PAUSE_S)


def reach_again(server: Server, serial: str) -> None:
    """Connect again to a device of the network that the server has lost; a failure is the next try's."""
    try:
        state = {found.serial: found.state for found in server.attached()}.get(serial)
        if ":" in serial and state in (None, "offline"):
            server.disconnect(serial)
            server.connect(serial)
    except (TransportError, LimitError, NotReadyError):
        return
