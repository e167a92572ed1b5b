"""What an adb server knows of its devices, and which one the user means. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.adb.errors import NotReadyError
from common.adb.names import ANY, is_address, is_network, typed
from common.adb.states import remedy

LIST = "make devices lists what is attached"
# What a device says that it is, by its serial; None where it does not say.
Identify = Callable[[str], str | None]


def nobody(_serial: str) -> None:
    """Where no device can be asked, every name is a phone of its own."""


@dataclass(frozen=True)
class Attached:
    """A device that the server knows. `state` is adb's own word: device, offline, unauthorized, ..."""

    serial: str
    state: str


def parse(text: str) -> tuple[Attached, ...]:
    """The answer to `host:devices`: a line per device, serial and state with a tab between."""
    rows = [line.split("\t") for line in text.splitlines() if "\t" in line]
    return tuple(Attached(row[0], row[1]) for row in rows)


def pick(attached: Sequence[Attached], wanted: str, identify: Identify = nobody) -> str:
    """Serial of a usable device: `any` for the only one, by its best name. Raises NotReadyError naming the state of
    what cannot be used and what to do."""
    if wanted == ANY:
        return _only(attached, identify)
    found = next((device for device in attached if device.serial == wanted), None)
    if found is None:
        there = ", ".join(device.serial for device in attached) or "none"
        raise NotReadyError(f"no device {wanted} is attached (attached: {there})", hint=LIST)
    hint = remedy(found.state)
    if hint is not None:
        raise NotReadyError(f"device {wanted} is {found.state}", hint=hint)
    return wanted


def same(serials: Sequence[str], identify: Identify) -> tuple[tuple[str, ...], ...]:
    """The serials in groups, a phone each, in their order; a phone's best name first: its cable's, an address that can
    be connected to again, the name of a service."""
    groups: dict[str, list[str]] = {}
    for serial in serials:
        groups.setdefault(identify(serial) or f"serial {serial}", []).append(serial)
    return tuple(tuple(sorted(group, key=_worth)) for group in groups.values())


def _worth(serial: str) -> int:
    return 0 if not is_network(serial) else 1 if is_address(serial) else 2


def _only(attached: Sequence[Attached], identify: Identify) -> str:
    ready = [device.serial for device in attached if remedy(device.state) is None]
    if len(ready) == 1:
        return ready[0]
    if ready:
        phones = same(ready, identify)
        if len(phones) == 1:
            return phones[0][0]
        names = ", ".join(" = ".join(phone) for phone in phones)
        choose = f"choose one, as in {typed('DEVICE', phones[0][0])}"
        raise NotReadyError(f"several devices are attached: {names}", hint=choose)
    states = ", ".join(f"{device.serial} {device.state}" for device in attached) or "nothing is attached"
    hint = remedy(attached[0].state) if attached else "plug one in and allow USB debugging"
    raise NotReadyError(f"no device can be used: {states}", hint=hint)
