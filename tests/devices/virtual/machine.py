"""The virtual phone's state, kept in files because every program is a process of its own."""

import fcntl
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from tests.devices.phone.logcat import Line
from tests.devices.phone.personality import Apps, Battery, Personality, Sensor, Thermal, load
from tests.devices.phone.system import State

# Given to the container, else the built-in one.
PERSONALITY = Path("/etc/phone.toml")
BUILT_IN = "virtual"
DATA = Path("/data")
FOLDER = DATA / "system"
POLL_S = 0.05
# What a phone of this machine's processor calls itself.
ABIS = {"x86_64": "x86_64", "aarch64": "arm64-v8a"}
BINARY_PROPERTY = "ro.edgeproof.benchmark_model"
BINARY = "/system/bin/benchmark_model"
# Whatever the personality says: nobody shall take its figures for a phone's.
MARKS = {"ro.edgeproof.virtual": "1", "ro.kernel.qemu": "1", "ro.boot.qemu": "1"}


def personality() -> Personality:
    """The phone to be, with the ABI of the machine that it runs on."""
    chosen = load(PERSONALITY if PERSONALITY.exists() else BUILT_IN)
    abi = ABIS.get(platform.machine(), platform.machine())
    properties = {
        **chosen.properties,
        "ro.product.cpu.abi": abi,
        "ro.product.cpu.abilist": abi,
        BINARY_PROPERTY: BINARY,
        **MARKS,
    }
    return replace(chosen, properties=properties)


class FileLog:
    """The log as a file of JSON lines. A line's number is the moment it was written, in nanoseconds."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist."""
        self._path = path

    def write(self, pid: int, level: str, tag: str, text: str) -> None:
        """Add a line; short appends are atomic."""
        now = time.time_ns()
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([now, pid, level, tag, text]) + "\n")

    def clear(self) -> None:
        """logcat -c."""
        self._path.write_bytes(b"")

    def lines(self) -> list[Line]:
        """Every line."""
        if not self._path.exists():
            return []
        rows = [json.loads(row) for row in self._path.read_text(encoding="utf-8").splitlines() if row.endswith("]")]
        return [Line(row[0], row[0] / 1e9, *row[1:]) for row in rows]

    def since(self, number: int, timeout_s: float) -> list[Line]:
        """Lines from `number` on; waits that long for the first of them."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = [line for line in self.lines() if line.number >= number]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(POLL_S)


class Machine:
    """The phone as Android's programs see it."""

    def __init__(self, state: State, log: FileLog) -> None:
        """`state` as it was left by the program before."""
        self._state, self._log = state, log

    @property
    def state(self) -> State:
        """What can be read and changed."""
        return self._state

    @property
    def log(self) -> FileLog:
        """The log."""
        return self._log

    @property
    def apps(self) -> Apps:
        """How it treats the benchmark as an app."""
        return personality().apps

    def write_log(self, level: str, tag: str, text: str) -> None:
        """A line of this process in the log."""
        self._log.write(os.getpid(), level, tag, text)

    def read(self, path: str) -> bytes:
        """Content of a file. Raises OSError."""
        return Path(path).read_bytes()

    def free_bytes(self) -> int:
        """Space on /data."""
        return shutil.disk_usage(DATA).free

    def start_app(self, package: str, given: str) -> None:
        """Start the tool's app as a process that bears the package's name and outlives its starter."""
        subprocess.Popen(
            [package, "-I", str(Path(sys.argv[0]).resolve()), "app", package, given, sysconfig.get_path("purelib")],
            executable=sys.executable,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop_app(self, package: str) -> None:
        """End every process of a package."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                name = (entry / "cmdline").read_bytes().split(b"\0")[0]
                if name == package.encode():
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue

    def check(self) -> None:
        """Real processes end by themselves."""


@contextmanager
def machine() -> Iterator[Machine]:
    """The phone, locked while its state may change; followers of the log must not hold it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "state.json"
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        state = _from_json(text) if text else first_state()
        yield Machine(state, FileLog(FOLDER / "log.jsonl"))
        changed = json.dumps(asdict(state))
        if changed != text:
            file.truncate(0)
            file.write(changed)


def watcher() -> Machine:
    """The phone for a program that only follows the log."""
    return Machine(first_state(), FileLog(FOLDER / "log.jsonl"))


def first_state() -> State:
    """As after the first boot."""
    chosen = personality()
    return State(dict(chosen.properties), chosen.battery, chosen.thermal)


def _from_json(text: str) -> State:
    kept = json.loads(text)
    sensors = tuple(Sensor(**sensor) for sensor in kept["thermal"]["sensors"])
    thermal = Thermal(kept["thermal"]["status"], sensors)
    return State(kept["properties"], Battery(**kept["battery"]), thermal, kept["settings"], kept["packages"])
