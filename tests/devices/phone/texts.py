"""What Android's system programs print, in Android's form (formats: AOSP's own services)."""

from collections.abc import Mapping, Sequence

from tests.devices.phone.personality import Battery, Core, Storage, Thermal


def getprop(properties: Mapping[str, str], name: str = "", default: str = "") -> str:
    """One value with a line end, or the whole list as `[name]: [value]` lines."""
    if name:
        return properties.get(name, default) + "\n"
    return "".join(f"[{key}]: [{value}]\n" for key, value in sorted(properties.items()))


def battery(state: Battery) -> str:
    """`dumpsys battery`; the temperature is in tenths of a degree."""
    powered = str(state.usb_powered).lower()
    held = "  (UPDATES STOPPED -- use 'reset' to restart)\n" if state.frozen else ""
    return (
        "Current Battery Service state:\n"
        f"{held}"
        f"  AC powered: false\n  USB powered: {powered}\n  Wireless powered: false\n  Dock powered: false\n"
        "  Max charging current: 500000\n  Max charging voltage: 5000000\n"
        f"  Charge counter: {state.charge_uah}\n  status: {2 if state.usb_powered else 3}\n  health: 2\n"
        f"  present: true\n  level: {state.level}\n  scale: 100\n  voltage: {state.voltage_mv}\n"
        f"  temperature: {round(state.temperature_c * 10)}\n  technology: Li-ion\n"
    )


def thermal(state: Thermal) -> str:
    """`dumpsys thermalservice`: a cached block first, whose values nobody may use, then the HAL's."""

    def line(name: str, kind: int, celsius: float, status: int) -> str:
        return f"\tTemperature{{mValue={celsius:.1f}, mType={kind}, mName={name}, mStatus={status}}}\n"

    stale = "".join(line(sensor.name, sensor.kind, -99.9, 0) for sensor in state.sensors)
    fresh = "".join(line(sensor.name, sensor.kind, sensor.celsius, sensor.status) for sensor in state.sensors)
    return (
        f"IsStatusOverride: false\nThermalEventListeners:\n\tcallbacks: 1\n\tkilled: false\n"
        f"Thermal Status: {state.status}\nCached temperatures:\n{stale}HAL Ready: true\n"
        "HAL connection:\n\tThermalHAL AIDL 1  connected: yes\n"
        f"Current temperatures from HAL:\n{fresh}Current cooling devices from HAL:\n"
    )


def power(api_level: int, *, awake: bool, saves: bool, stays: str) -> str:
    """`dumpsys power`, of which the words for the battery saver changed with Android 9."""
    modern = api_level >= 28
    old = "" if modern else f"  mLowPowerModeEnabled={str(saves).lower()}\n"
    new = f"  Battery Saver is currently: {'ON' if saves else 'OFF'}\n    Times full enabled: 0\n" if modern else ""
    return (
        f"POWER MANAGER (dumpsys power)\n\nPower Manager State:\n  mWakefulness={'Awake' if awake else 'Asleep'}\n"
        f"{old}  mStayOnWhilePluggedInSetting={stays}\nDisplay Power: state={'ON' if awake else 'OFF'}\n{new}"
    )


def cpuinfo(cores: tuple[Core, ...]) -> str:
    """/proc/cpuinfo of an Arm processor."""
    one = (
        "processor\t: {}\nBogoMIPS\t: 49.15\nFeatures\t: fp asimd aes crc32 atomics fphp asimdhp asimddp\n"
        "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x2\nCPU part\t: 0xd05\nCPU revision\t: 0\n\n"
    )
    return "".join(one.format(number) for number in range(len(cores)))


def meminfo(memory_kb: int) -> str:
    """The first lines of /proc/meminfo."""
    return (
        f"MemTotal:       {memory_kb:8d} kB\nMemFree:        {memory_kb // 4:8d} kB\n"
        f"MemAvailable:   {memory_kb // 2:8d} kB\nBuffers:            4096 kB\nCached:         {memory_kb // 3:8d} kB\n"
    )


def df(storage: Storage, path: str) -> str:
    """`df -k PATH`, as toybox prints it."""
    used = storage.total_kb - storage.free_kb
    share = -(-100 * used // max(storage.total_kb, 1))
    return (
        "Filesystem     1K-blocks     Used Available Use% Mounted on\n"
        f"/dev/block/dm-9 {storage.total_kb:9d} {used:8d} {storage.free_kb:9d} {share:3d}% /data\n"
    )


def df_old(storage: Storage, words: Sequence[str] = ("/data",)) -> str:
    """`df` before Android 7, which takes every word for a path: options too."""
    sizes = [f"{kb / (1 << 20):.1f}G" for kb in (storage.total_kb, storage.total_kb - storage.free_kb, storage.free_kb)]
    row = f"{sizes[0]:>8} {sizes[1]:>8} {sizes[2]:>8}   4096\n"
    lines = (f"{word:<20} {row}" if word.startswith("/") else f"{word}: No such file or directory\n" for word in words)
    return "Filesystem               Size     Used     Free   Blksize\n" + "".join(lines)


def df_human(storage: Storage) -> str:
    """`df -h`."""
    used = storage.total_kb - storage.free_kb
    sizes = [f"{kb / (1 << 20):.1f}G" for kb in (storage.total_kb, used, storage.free_kb)]
    share = -(-100 * used // max(storage.total_kb, 1))
    return (
        "Filesystem      Size  Used Avail Use% Mounted on\n"
        f"/dev/block/dm-9 {sizes[0]:>5} {sizes[1]:>5} {sizes[2]:>5} {share:3d}% /data\n"
    )


def fatal_signal(pid: int, program: str, signal_number: int, signal_name: str) -> str:
    """What a process itself says when it dies of a signal (bionic's debuggerd handler)."""
    short = program[-15:]
    who = f"in tid {pid} ({short}), pid {pid} ({short})"
    who = f"in tid {pid} ({short}), pid {pid} ({short})"
    return f"Fatal signal {signal_number} ({signal_name}), {_code(signal_number)} {who}"


def _code(signal_number: int) -> str:
    segmentation = "code 1 (SEGV_MAPERR), fault addr 0x0000000000000010"
    return segmentation if signal_number == 11 else "code -1 (SI_QUEUE), fault addr --------"


def tombstone(pid: int, program: str, signal_number: int, signal_name: str) -> tuple[str, ...]:
    """What debuggerd writes to the log when a process dies of a signal."""
    cause = ("Cause: null pointer dereference",) if signal_number == 11 else ()
    return (
        "*** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***",
        "Build fingerprint: 'virtual'",
        "Revision: '0'",
        "ABI: 'arm64'",
        "Timestamp: 2024-06-30 17:23:08.630221214+0200",
        "Process uptime: 2s",
        f"Cmdline: {program}",
        f"pid: {pid}, tid: {pid}, name: {program[-15:]}  >>> {program} <<<",
        "uid: 10448",
        f"signal {signal_number} ({signal_name}), {_code(signal_number)}",
        *cause,
        "    x0  0000000000000000  x1  0000000000000000  x2  0000000000000000  x3  0000000000000000",
        "backtrace:",
        "      #00 pc 00000000001b2c40  /data/local/tmp/benchmark_model",
    )


def java_crash(pid: int, package: str, exception: str) -> tuple[str, ...]:
    """What RuntimeInit writes to the log when an exception ends an app."""
    return (
        "FATAL EXCEPTION: main",
        f"Process: {package}, PID: {pid}",
        exception,
        "\tat java.lang.Runtime.loadLibrary0(Runtime.java:1082)",
    )


def deaths(pid: int, package: str, signal_number: int) -> tuple[tuple[str, str], ...]:
    """Tag and text of what the system says of a process that a signal ended."""
    words = {9: "Killed", 11: "Segmentation fault", 6: "Aborted"}.get(signal_number, f"Signal {signal_number}")
    return (
        ("ActivityManager", f"Process {package} (pid {pid}) has died: fg  TOP"),
        ("Zygote", f"Process {pid} exited due to signal {signal_number} ({words})"),
    )
