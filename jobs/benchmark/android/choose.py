"""Which device the user means."""

from collections.abc import Sequence

from common.adb.errors import NotReadyError
from common.adb.server import Attached, Server
from jobs.benchmark.android.reconnect import remedy

ANY = "any"
LIST = "python -m jobs.devices lists what is attached"


def choose(server: Server, wanted: str) -> str:
    """Serial of a usable device: `any` for the only one, host:port connects first.

    Raises NotReadyError naming the state of what cannot be used and what to do.
    """
    if wanted != ANY and ":" in wanted and not any(a.serial == wanted for a in server.attached()):
        server.connect(wanted)
    return pick(server.attached(), wanted)


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
