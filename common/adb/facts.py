"""What a device is: the texts of its own programs to facts. Pure.

Forms: AOSP's getprop, BatteryService and ThermalManagerService, and the kernel's /proc.
"""

import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile

KIB_PER_GIB = 1 << 20
OLD_DF = ["Filesystem", "Size", "Used", "Free", "Blksize"]
KIB_PER = {"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}
KHZ_PER_MHZ = 1000
PROPERTY = re.compile(r"\[([^\]\n]+)\]: \[")
# The largest servers with Android have fewer.
MOST_CORES = 256
# Android's TemperatureType: a battery's voltage, current and charge come as readings of the same form.
NO_DEGREES = {6: "BCL_VOLTAGE", 7: "BCL_CURRENT", 8: "BCL_PERCENTAGE"}
# The service's way to say that it has no reading.
LEAST_CELSIUS = -50.0
MOST_CELSIUS = 200.0
THERMAL_WORDS = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
UNKNOWN = "not told"


@dataclass(frozen=True)
class Temperature:
    """A sensor's reading in degrees Celsius; names differ by vendor."""

    name: str
    celsius: float


@dataclass(frozen=True)
class Battery:
    """`level` in per cent, `celsius` in degrees; None where the device does not tell."""

    level: int | None
    celsius: float | None
    powered: bool


@dataclass(frozen=True)
class DeviceFacts:
    """A device. `max_khz` holds a core's highest frequency each, None where it cannot be read."""

    manufacturer: str
    model: str
    soc: str
    abis: tuple[str, ...]
    android: str
    api_level: int | None
    build: str
    kernel: str
    max_khz: tuple[int | None, ...]
    memory_kib: int | None
    emulator: bool
    translated: tuple[str, ...]
    battery: Battery
    thermal_status: int | None
    temperatures: tuple[Temperature, ...]


def properties(text: str) -> dict[str, str]:
    """`getprop` without arguments: `[name]: [value]`, where a value may go over several lines."""
    found: dict[str, str] = {}
    name, parts = "", [""]
    for line in text.split("\n"):
        if name:
            parts.append(line)
        elif start := PROPERTY.match(line):
            name, parts = start[1], [line[start.end() :]]
        if name and parts[-1].removesuffix("\r").endswith("]"):
            found[name] = "\n".join(parts).removesuffix("\r")[:-1]
            name = ""
    return found


def api_level(known: dict[str, str]) -> int | None:
    """`ro.build.version.sdk`; None for what is no level."""
    found = re.fullmatch(r"[0-9]{1,4}", known.get("ro.build.version.sdk", ""))
    return int(found[0]) if found else None


def abis(known: dict[str, str]) -> tuple[str, ...]:
    """What the device says that it runs, best first."""
    listed = known.get("ro.product.cpu.abilist") or known.get("ro.product.cpu.abi", "")
    return tuple(abi.strip() for abi in listed.split(",") if abi.strip())


def is_emulator(known: dict[str, str]) -> bool:
    """Whether it is an emulator or a virtual device, whose times mean nothing."""
    return "1" in (known.get("ro.kernel.qemu"), known.get("ro.boot.qemu"))


def translated(known: dict[str, str]) -> tuple[str, ...]:
    """The Arm ABIs of an x86 device that has a translator: it takes apps' libraries, and programs where the kernel
    hands them over. The shell user may not read whether it does (/proc/sys/fs/binfmt_misc), so only trying tells."""
    found = abis(known)
    native = found[0] if found else ""
    if not native.startswith("x86") or known.get("ro.dalvik.vm.native.bridge", "0") in ("", "0"):
        return ()
    return tuple(abi for abi in found if abi.startswith("arm"))


def soc(known: dict[str, str]) -> str:
    """The system on chip, by the most telling property that there is."""
    model = known.get("ro.soc.model", "")
    maker = known.get("ro.soc.manufacturer", "")
    return " ".join(word for word in (maker, model) if word) or known.get("ro.board.platform") or UNKNOWN


def memory_kib(meminfo: str) -> int | None:
    """MemTotal of /proc/meminfo."""
    found = re.search(r"^MemTotal:[ \t]+(\d{1,15}) kB", meminfo, re.MULTILINE)
    return int(found[1]) if found else None


def core_numbers(present: str) -> tuple[int, ...]:
    """/sys/devices/system/cpu/present: `0-3,6`."""
    numbers: list[int] = []
    for first, last in re.findall(r"(\d{1,3})(?:-(\d{1,3}))?", present):
        numbers += range(int(first), int(last or first) + 1)
        if len(numbers) > MOST_CORES:
            break
    return tuple(dict.fromkeys(numbers))[:MOST_CORES]


def kilohertz(text: str) -> int | None:
    """cpuinfo_max_freq of a core."""
    found = re.fullmatch(r"\s*(\d{1,9})\s*", text)
    return int(found[1]) if found else None


def battery(dumpsys: str) -> Battery:
    """`dumpsys battery`; its temperature is in tenths of a degree."""

    def number(key: str) -> int | None:
        found = re.search(rf"^[ \t]*{key}: (-?\d{{1,6}})[ \t\r]*$", dumpsys, re.MULTILINE)
        return int(found[1]) if found else None

    tenths = number("temperature")
    powered = re.search(r"^[ \t]*(?:AC|USB|Wireless|Dock) powered: true[ \t\r]*$", dumpsys, re.MULTILINE) is not None
    return Battery(number("level"), None if tenths is None else tenths / 10, powered)


def thermal_status(dumpsys: str) -> int | None:
    """`Thermal Status` of `dumpsys thermalservice`, 0 (none) to 6 (shutdown)."""
    found = re.search(r"^[ \t]*Thermal Status: ([0-6])[ \t\r]*$", dumpsys, re.MULTILINE)
    return int(found[1]) if found else None


def temperatures(dumpsys: str) -> tuple[Temperature, ...]:
    """The HAL's readings in degrees; those that the service has cached are stale."""
    rest = dumpsys.partition("Current temperatures from HAL:")[2].splitlines()
    # They end with whatever is no reading, or is the beginning of the next list.
    block = "\n".join(takewhile(lambda line: not line.strip() or line.lstrip().startswith("Temperature{"), rest))
    form = r"Temperature\{mValue=(-?\d{1,4}(?:\.\d{1,6})?), mType=(-?\d{1,4}), mName=([^,}\n]{1,64})[,}]"
    found = [row for row in re.findall(form, block) if int(row[1]) not in NO_DEGREES]
    readings = (Temperature(name, float(value)) for value, _, name in found)
    return tuple(reading for reading in readings if LEAST_CELSIUS < reading.celsius < MOST_CELSIUS)


def free_kib(df: str) -> int | None:
    """Space left, from `df -k`: the column `Available`, or `Free` of the form before Android 7, which rounds to a
    tenth of its unit; None for a form that is not known."""
    lines = df.splitlines()
    # Before the head a linker may warn, on devices that have one stream for all.
    if any(line.split() == OLD_DF for line in lines):
        # It takes every word for a path, and complains of the option before it answers.
        rows = (_free_of_old(line.split()) for line in lines)
        return next((row for row in rows if row is not None), None)
    below = list(dropwhile(lambda line: "1K-blocks" not in line, lines))[1:]
    # A long name of a file system takes a line of its own.
    fields = " ".join(below).split()
    at = next((index for index, field in enumerate(fields) if re.fullmatch(r"\d{1,3}%", field)), None)
    return int(fields[at - 1]) if at and re.fullmatch(r"\d{1,15}", fields[at - 1]) else None


def _free_of_old(fields: list[str]) -> int | None:
    found = re.fullmatch(r"(\d{1,9}(?:\.\d)?)([KMGT])", fields[3]) if len(fields) == len(OLD_DF) else None
    return int(float(found[1]) * KIB_PER[found[2]]) if found else None


def cores(max_khz: tuple[int | None, ...]) -> str:
    """`4 x 1803 MHz, 2 x 2850 MHz`, in the order of the cores."""
    parts: list[list[int | None]] = []
    for value in max_khz:
        if parts and parts[-1][0] == value:
            parts[-1].append(value)
        else:
            parts.append([value])
    return (
        ", ".join(f"{len(part)} x {'?' if part[0] is None else part[0] // KHZ_PER_MHZ} MHz" for part in parts)
        or UNKNOWN
    )


def lasting(facts: DeviceFacts) -> tuple[tuple[str, str], ...]:
    """What stays the same from run to run, for people and for the fingerprint."""
    level = "" if facts.api_level is None else f" (API {facts.api_level})"
    memory = UNKNOWN if facts.memory_kib is None else f"{facts.memory_kib / KIB_PER_GIB:.1f} GiB"
    return (
        ("Manufacturer", facts.manufacturer),
        ("Model", facts.model),
        ("System on chip", facts.soc),
        ("ABIs", ", ".join(facts.abis) or UNKNOWN),
        ("Android", f"{facts.android}{level}"),
        ("Build", facts.build),
        ("Kernel", facts.kernel),
        ("Cores", cores(facts.max_khz)),
        ("Memory", memory),
        ("Emulator", "yes" if facts.emulator else "no"),
        ("Translated ABIs", ", ".join(facts.translated) or "none"),
    )


def passing(facts: DeviceFacts) -> tuple[tuple[str, str], ...]:
    """What changes while one measures."""
    charge = UNKNOWN if facts.battery.level is None else f"{facts.battery.level} %"
    heat = "" if facts.battery.celsius is None else f", {facts.battery.celsius:.1f} °C"
    status = UNKNOWN if facts.thermal_status is None else THERMAL_WORDS[facts.thermal_status]
    readings = ", ".join(f"{reading.name} {reading.celsius:.1f} °C" for reading in facts.temperatures)
    return (
        ("Battery before", f"{charge}{heat}, {'charging' if facts.battery.powered else 'not charging'}"),
        ("Thermal status before", status),
        ("Temperatures before", readings or UNKNOWN),
    )
