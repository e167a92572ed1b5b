"""The stand-in's processor as the kernel shows it: clocks of the cores, which are on, and how busy they are."""

import time
from collections.abc import Iterable, Sequence

from tests.devices.phone.personality import Core
from tests.devices.standin.filesystem import FileSystem

CPUS = "/sys/devices/system/cpu"
TICKS_PER_S = 100
# Of the cores' time, at rest and while everything starts.
RESTING, STARTING = 0.05, 0.9


class Processor:
    """Keeps /sys/devices/system/cpu; a kernel with hotplug takes the clock's folder of a core that is off away."""

    def __init__(self, files: FileSystem, cores: Sequence[Core]) -> None:
        """All cores are on, and the device has been running as long as this machine."""
        self._files, self._cores = files, cores
        self._on = set(range(len(cores)))
        self._started_at = self._busy_until = 0.0
        for name in ("present", "possible"):
            files.add(f"{CPUS}/{name}", self._listed(self._on))
        self._show()

    @property
    def mask(self) -> int:
        """The cores that are on, a bit each."""
        return sum(1 << number for number in self._on)

    def switch(self, cores: Iterable[int], *, on: bool) -> None:
        """Switch cores on or off."""
        self._on = self._on | set(cores) if on else self._on - set(cores)
        self._show()

    def limit(self, khz: int | None) -> None:
        """Let no core run faster than this; None for as fast as it can."""
        for number in self._on:
            most = min(khz or self._cores[number].max_khz, self._cores[number].max_khz)
            for name in ("scaling_max_freq", "scaling_cur_freq"):
                self._files.add(f"{CPUS}/cpu{number}/cpufreq/{name}", f"{most}\n".encode())

    def start(self, busy_s: float) -> None:
        """It was switched on just now, and is busy for so long."""
        self._started_at = time.monotonic()
        self._busy_until = self._started_at + busy_s

    def uptime(self) -> str:
        """/proc/uptime."""
        up = time.monotonic() - self._started_at
        return f"{up:.2f} {up * len(self._cores):.2f}\n"

    def stat(self) -> str:
        """The first lines of /proc/stat."""
        now = time.monotonic()
        up, busy = now - self._started_at, min(now, self._busy_until) - self._started_at
        total = up * len(self._cores) * TICKS_PER_S
        used = int((RESTING * (up - max(busy, 0)) + STARTING * max(busy, 0)) * len(self._cores) * TICKS_PER_S)
        return f"cpu  {used} 0 0 {int(total) - used} 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\nintr 1\n"

    def _show(self) -> None:
        for number, core in enumerate(self._cores):
            folder = f"{CPUS}/cpu{number}/cpufreq"
            if number not in self._on:
                with self._files.lock:
                    for path in [path for path in self._files.nodes if path == folder or path.startswith(folder + "/")]:
                        del self._files.nodes[path]
                continue
            related = " ".join(str(other) for other, one in enumerate(self._cores) if one.max_khz == core.max_khz)
            clocks = ("cpuinfo_max_freq", "scaling_max_freq", "scaling_cur_freq")
            for name, text in (*((clock, core.max_khz) for clock in clocks), ("related_cpus", related)):
                self._files.add(f"{folder}/{name}", f"{text}\n".encode())
            self._files.add(f"{folder}/scaling_governor", b"schedutil\n")
        self._files.add(f"{CPUS}/online", self._listed(self._on))

    def _listed(self, numbers: set[int]) -> bytes:
        if numbers == set(range(len(self._cores))):
            return f"0-{len(self._cores) - 1}\n".encode()
        return (",".join(str(number) for number in sorted(numbers)) + "\n").encode()
