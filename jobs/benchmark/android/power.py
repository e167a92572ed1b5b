"""What a device tells of its battery: texts to a reading, and the questions that bring them.

Forms: AOSP's BatteryService and PowerManagerService (`dumpsys`), and the kernel's power_supply class.
"""

import re

from common.adb.errors import LimitError
from common.adb.facts import battery
from common.adb.server import Device
from common.schema.power import PowerReading

COUNTER = "/sys/class/power_supply/battery/charge_counter"
# All that is looked for stands far before; a device may send what it likes.
MOST_CHARACTERS = 1 << 16
# BatteryManager's numbers of `status`.
CHARGING, DISCHARGING, NOT_CHARGING = 2, 3, 4
# From one cell that is empty to two in a row that are full; others are volts or microvolts, or nonsense.
LEAST_MV, MOST_MV = 2_500, 10_000
FROZEN = re.compile(r"^[ \t]*\(UPDATES STOPPED", re.MULTILINE)
PLUGGED = re.compile(r"^[ \t]*(AC|USB|Wireless|Dock) powered: true[ \t\r]*$", re.MULTILINE)
SCREEN = re.compile(r"^[ \t]*mWakefulness=(\w{1,16})[ \t\r]*$", re.MULTILINE)


def reading(dumpsys: str, counter: str, power: str, *, at_s: float, connections: int) -> PowerReading:
    """`dumpsys battery`, the kernel's counter (empty where it may not be read), and `dumpsys power`.

    The kernel's counter is preferred: the service repeats what it was told last.
    """
    dumpsys, power = dumpsys[:MOST_CHARACTERS], power[:MOST_CHARACTERS]
    kernel, service = _whole(counter[:MOST_CHARACTERS]), _number(dumpsys, "Charge counter")
    charge = service if kernel is None else kernel
    told, volts, status = battery(dumpsys), _number(dumpsys, "voltage"), _number(dumpsys, "status")
    awake = SCREEN.search(power)
    return PowerReading(
        at_s=at_s,
        charge_uah=charge,
        counter=None if charge is None else ("service" if kernel is None else "kernel"),
        voltage_mv=volts if volts is not None and LEAST_MV <= volts <= MOST_MV else None,
        level=told.level if told.level is not None and told.level >= 0 else None,
        celsius=told.celsius,
        # Unknown and full are not known to be discharging.
        charging=status not in (DISCHARGING, NOT_CHARGING),
        plugged=tuple(dict.fromkeys(PLUGGED.findall(dumpsys))),
        frozen=FROZEN.search(dumpsys) is not None,
        screen=awake[1] if awake else None,
        connections=connections,
    )


def ask(device: Device, *, at_s: float, connections: int) -> PowerReading:
    """Read it from the device. Raises TransportError; what it does not tell is unknown."""
    texts = (_text(device, "dumpsys", "battery"), _text(device, "cat", COUNTER), _text(device, "dumpsys", "power"))
    return reading(*texts, at_s=at_s, connections=connections)


def _text(device: Device, *argv: str) -> str:
    try:
        ended = device.run(argv)
    except LimitError:
        return ""
    return ended.stdout if ended.status == 0 else ""


def _number(text: str, key: str) -> int | None:
    found = re.search(rf"^[ \t]*{key}: (-?\d{{1,12}})[ \t\r]*$", text, re.MULTILINE | re.ASCII)
    return int(found[1]) if found else None


def _whole(text: str) -> int | None:
    found = re.fullmatch(r"\s{0,8}(-?\d{1,12})\s{0,8}", text, re.ASCII)
    return int(found[1]) if found else None
