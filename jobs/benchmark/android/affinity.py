"""Pin the tool to some of a device's cores."""

import re
from collections.abc import Sequence

from common.adb.facts import core_numbers
from common.adb.server import Device
from common.errors import UsageError

ALLOWED = re.compile(r"^Cpus_allowed:[ \t]*([0-9a-f]{1,8}(?:,[0-9a-f]{1,8}){0,31})[ \t\r]*$", re.MULTILINE)


def chosen(cores: str, max_khz: Sequence[int | None]) -> tuple[int, ...]:
    """The numbers of these cores: big, little, or a list as the kernel writes it. Raises UsageError."""
    if cores in ("big", "little"):
        known = [khz for khz in max_khz if khz is not None]
        if not known:
            raise UsageError(f"cores = {cores}: the device does not tell its cores' clocks", hint="name their numbers")
        wanted = max(known) if cores == "big" else min(known)
        return tuple(number for number, khz in enumerate(max_khz) if khz == wanted)
    numbers = core_numbers(cores)
    if beyond := [number for number in numbers if number >= len(max_khz)]:
        message = f"cores = {cores}: the device has {len(max_khz)} cores, and no {beyond[0]}"
        raise UsageError(message, hint="they are numbered from 0")
    return numbers


def pinned(device: Device, cores: str | None, max_khz: Sequence[int | None]) -> tuple[str, ...]:
    """What goes before a command to pin it; empty without a choice. Raises UsageError when the device does not do it,
    TransportError and LimitError."""
    if cores is None:
        return ()
    mask = sum(1 << number for number in chosen(cores, max_khz))
    prefix = ("taskset", f"{mask:x}")
    told = device.run([*prefix, "cat", "/proc/self/status"])
    found = ALLOWED.search(told.stdout)
    # A core that is off is not allowed either.
    if told.status != 0 or found is None or int(found[1].replace(",", ""), 16) != mask:
        said = f"allows {found[1]} for {mask:x}" if found else " ".join(told.text.split())[:200] or "says nothing"
        raise UsageError(f"cores = {cores}: {device.serial} does not pin to them: it {said}", hint="choose other cores")
    return prefix
