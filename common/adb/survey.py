"""Ask a device what it is."""

from common.adb import facts as read
from common.adb.cores import filled
from common.adb.facts import UNKNOWN, DeviceFacts
from common.adb.server import Device
from common.adb.wire import MOST_BYTES

CPUS = "/sys/devices/system/cpu"


def survey(device: Device) -> DeviceFacts:
    """Everything that is known of a device. Raises TransportError and LimitError; what a device does
    not tell or forbids to read is unknown."""
    known = read.properties(_text(device, "getprop"))
    thermal = _text(device, "dumpsys", "thermalservice")
    numbers = read.core_numbers(_text(device, "cat", f"{CPUS}/present"))
    return DeviceFacts(
        manufacturer=known.get("ro.product.manufacturer", UNKNOWN),
        model=known.get("ro.product.model", UNKNOWN),
        soc=read.soc(known),
        abis=read.abis(known),
        android=known.get("ro.build.version.release", UNKNOWN),
        api_level=read.api_level(known),
        build=known.get("ro.build.fingerprint", UNKNOWN),
        kernel=_text(device, "uname", "-r").strip() or UNKNOWN,
        max_khz=_max_khz(device, numbers),
        memory_kib=read.memory_kib(_text(device, "cat", "/proc/meminfo")),
        emulator=read.is_emulator(known),
        translated=read.translated(known),
        battery=read.battery(_text(device, "dumpsys", "battery")),
        thermal_status=read.thermal_status(thermal),
        temperatures=read.temperatures(thermal),
    )


def _text(device: Device, *argv: str) -> str:
    ended = device.run(argv, most_bytes=MOST_BYTES)
    return ended.stdout if ended.status == 0 else ""


def _max_khz(device: Device, numbers: tuple[int, ...]) -> tuple[int | None, ...]:
    def told(number: int, name: str) -> str:
        return _text(device, "cat", f"{CPUS}/cpu{number}/cpufreq/{name}")

    found = {number: read.kilohertz(told(number, "cpuinfo_max_freq")) for number in numbers}
    if None in found.values():
        # A core that is offline tells nothing; those that share its clock do.
        related = {number: told(number, "related_cpus") for number, khz in found.items() if khz is not None}
        found = filled(found, related)
    return tuple(found.values())
