"""What Android's system programs print, in Android's form (formats: AOSP's own services)."""

from collections.abc import Mapping

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


def df_old(storage: Storage) -> str:
    """`df` before Android 7, which knows no options."""
    sizes = [f"{kb / (1 << 20):.1f}G" for kb in (storage.total_kb, storage.total_kb - storage.free_kb, storage.free_kb)]
    return (
        "Filesystem               Size     Used     Free   Blksize\n"
        f"/data                {sizes[0]:>8} {sizes[1]:>8} {sizes[2]:>8}   4096\n"
    )


def df_human(storage: Storage) -> str:
    """`df -h`."""
    used = storage.total_kb - storage.free_kb
    sizes = [f"{kb / (1 << 20):.1f}G" for kb in (storage.total_kb, used, storage.free_kb)]
    share = -(-100 * used // max(storage.total_kb, 1))
    return (
        "Filesystem      Size  Used Avail Use% Mounted on\n"
        f"/dev/block/dm-9 {sizes[0]:>5} {sizes[1]:>5} {sizes[2]:>5} {share:3d}% /data\n"
    )


def tombstone(pid: int, program: str, signal_number: int, signal_name: str) -> tuple[str, ...]:
    """What debuggerd writes to the log when a process dies of a signal."""
    code = (
        "1 (SEGV_MAPERR), fault addr 0x0000000000000010"
        if signal_number == 11
        else "-1 (SI_QUEUE), fault addr --------"
    )
    return (
        "*** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***",
        "Build fingerprint: 'virtual'",
        f"pid: {pid}, tid: {pid}, name: {program}  >>> {program} <<<",
        f"signal {signal_number} ({signal_name}), code {code}",
        "backtrace:",
        "      #00 pc 00000000001b2c40  /data/local/tmp/benchmark_model",
    )
