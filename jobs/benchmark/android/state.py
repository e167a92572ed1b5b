"""What a device tells of its state before a segment: texts to a DeviceState, and the one question that brings them.

Forms: AOSP's BatteryService, ThermalManagerService and PowerManagerService (`dumpsys`), whose words for the battery
saver differ by version, and the kernel's cpufreq class.
"""

import re

from common.adb.errors import LimitError
from common.adb.facts import kilohertz, thermal_status
from common.adb.server import Device
from common.adb.survey import CPUS
from common.schema.power import Clock, DeviceState
from jobs.benchmark.android import power

CLOCKS = ("scaling_cur_freq", "scaling_max_freq", "cpuinfo_max_freq")
# A service that hangs is given up by dumpsys itself, after ten seconds each.
LIMIT_S = 35.0
# A command line of an old adbd holds 4 KiB.
MOST_CORES = 16
# Android 9 and later; before that; and in between.
SAVERS = (
    re.compile(r"^[ \t]*Battery [Ss]aver is currently: (ON|OFF)\b", re.MULTILINE),
    re.compile(r"^[ \t]*mLowPowerModeEnabled=(true|false)\b", re.MULTILINE),
    re.compile(r"^[ \t]*Battery saver state machine:[ \t\r]*\n[ \t]*Enabled=(true|false)\b", re.MULTILINE),
)
CLOCK = re.compile(rf"^{CPUS}/cpu(\d{{1,3}})/cpufreq/({'|'.join(CLOCKS)}):[ \t]*(\d{{1,9}})[ \t\r]*$", re.MULTILINE)


def ask(device: Device, cores: int) -> DeviceState:
    """Read it in one exchange; a device that is too slow for it tells nothing. Raises TransportError."""
    files = [f"{CPUS}/cpu{core}/cpufreq/{name}" for core in range(min(cores, MOST_CORES)) for name in CLOCKS]
    commands = (
        ("dumpsys", "battery"),
        ("dumpsys", "thermalservice"),
        ("dumpsys", "power"),
        # One that is not there is passed over.
        ("grep", "-s", "", "/dev/null", *files),
    )
    try:
        told = device.run_each(commands, LIMIT_S)
    except LimitError:
        return DeviceState()
    return read(*(ended.stdout[: power.MOST_CHARACTERS] for ended in told))


def read(battery: str, thermal: str, power_text: str, clocks: str) -> DeviceState:
    """What these programs printed; empty for what was not told."""
    known = power.reading(battery, "", power_text, at_s=0.0, connections=0)
    tells = known.level is not None or known.celsius is not None
    return DeviceState(
        level=known.level,
        celsius=known.celsius,
        charging=known.charging if tells else None,
        plugged=known.plugged,
        saver=saver(power_text),
        screen=known.screen,
        thermal_status=thermal_status(thermal),
        clocks=found_clocks(clocks),
    )


def saver(dumpsys: str) -> bool | None:
    """Whether `dumpsys power` says that the battery saver works; None where it does not tell. While it charges the
    setting alone does nothing."""
    for form in SAVERS:
        if found := form.search(dumpsys):
            return found[1] in ("ON", "true")
    return None


def found_clocks(text: str) -> tuple[Clock, ...]:
    """`path:value` lines of the cores that are on."""
    known: dict[int, dict[str, int | None]] = {}
    for core, name, value in CLOCK.findall(text):
        known.setdefault(int(core), {})[name] = kilohertz(value)
    return tuple(
        Clock(core=core, khz=told.get(CLOCKS[0]), limit_khz=told.get(CLOCKS[1]), most_khz=told.get(CLOCKS[2]))
        for core, told in sorted(known.items())
    )
