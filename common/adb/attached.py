"""What an adb server knows of its devices, and which one the user means. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.adb.errors import NotReadyError
from common.adb.names import ANY
from common.adb.states import remedy

LIST = "python -m jobs.devices lists what is attached"


@dataclass(frozen=True)
class Attached:
    """A device that the server knows. `state` is adb's own word: device, offline, unauthorized, ..."""

    serial: str
    state: str


def parse(text: str) -> tuple[Attached, ...]:
    """The answer to `host:devices`: a line per device, serial and state with a tab between."""
    rows = [line.split("\t") for line in text.splitlines() if "\t" in line]
    return tuple(Attached(row[0], row[1]) for row in rows)


def pick(attached: Sequence[Attached], wanted: str) -> str:
    """Serial of a usable device: `any` for the only one. Raises NotReadyError naming the state of what cannot
    be used and what to do."""
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
