"""A private adb server: its own port, its own keys, ended by its own process number."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import adbutils

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 30.0


def adb_binary() -> str:
    """The adb that comes with adbutils, else the one on PATH."""
    return str(adbutils.adb_path())


@dataclass
class AdbServer:
    """A server in the foreground of a process that we started; `home` holds its key."""

    home: Path
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def address(self) -> dict[str, str]:
        """The variables that lead to it, for a process that keeps the rest of its own."""
        return {
            "ANDROID_ADB_SERVER_HOST": "127.0.0.1",
            "ANDROID_ADB_SERVER_PORT": str(self.port),
            "ADB_SERVER_SOCKET": f"tcp:127.0.0.1:{self.port}",
            "ADBUTILS_ADB_PATH": adb_binary(),
        }

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make adb and adbutils use this server and no other."""
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANDROID_", "ADB_"))},
            **self.address,
            "HOME": str(self.home),
            # Devices here come over TCP; the search for others would take the server three seconds.
            "ADB_LIBUSB": "0",
            "ADB_MDNS": "0",
        }

    @property
    def pid(self) -> int:
        """Number of the running server. Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError("the adb server does not run")
        return self._process.pid

    def start(self) -> "AdbServer":
        """Start, on the same port as before if there was one, and wait until it answers."""
        self.port = self.port or _free_port()
        log = (self.home / "adb-server.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [adb_binary(), "-P", str(self.port), "server", "nodaemon"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"adb server did not start: {(self.home / 'adb-server.log').read_text()}")
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None

    def restart(self) -> None:
        """A new server on the same port, which knows nothing of the devices of the old one."""
        self.kill()
        self.start()

    def adb(
        self, *argv: str, serial: str = "", timeout_s: float = CALL_TIMEOUT_S
    ) -> "subprocess.CompletedProcess[str]":
        """Run the adb client against this server."""
        chosen = ["-s", serial] if serial else []
        return subprocess.run(
            [adb_binary(), "-P", str(self.port), *chosen, *argv],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout_s,
        )

    def connect(self, serial: str) -> str:
        """`adb connect`, whose text alone tells whether it worked."""
        return self.adb("connect", serial).stdout.strip()

    def states(self) -> dict[str, str]:
        """State of every device by its serial."""
        rows = [line.split() for line in self.adb("devices").stdout.splitlines()[1:] if line.strip()]
        return {row[0]: row[1] for row in rows}

    def wait_for(self, serial: str, state: str, timeout_s: float = 15.0) -> None:
        """Return once a device is in a state. Raises AssertionError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while (seen := self.states().get(serial)) != state:
            assert time.monotonic() < deadline, f"{serial} is {seen}, not {state}"
            time.sleep(0.05)

    def __enter__(self) -> "AdbServer":
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill."""
        self.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
