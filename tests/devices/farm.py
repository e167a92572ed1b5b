"""A cluster on this machine's loopback for people who have none: a head, and two nodes with two stand-in phones each.

    python -m tests.devices.farm start
    python -m tests.devices.farm stop

Writes  .cache/farm/loopback/   logs, the nodes' stores, the program that stands for benchmark_model, this one's number
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from common.provenance import ROOT
from tests.devices.adb_server import AdbServer
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary

HOME = ROOT / ".cache" / "farm" / "loopback"
PORT = 6379
NODES = ("one", "two")
PHONES = 2
START_S, STOP_S = 600.0, 30.0


@dataclass
class LoopbackNode:
    """A node of the cluster: its process, its adb server, its phones."""

    name: str
    folder: Path
    address: str
    cpus: int
    head: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it; whether it has joined is told by `wait`."""
        (self.folder / self.name).mkdir(parents=True, exist_ok=True)
        own = {"RAY_ADDRESS": self.address, "EDGEPROOF_FARM": str(self.folder / self.name)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jobs.farm",
                    "node",
                    "--cpus",
                    str(self.cpus),
                    *(["--head"] if self.head else []),
                ],
                env={**os.environ, **self.environment, **own},
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self, timeout_s: float = START_S) -> None:
        """Return once it says that it has joined. Raises RuntimeError with its words when it does not in time."""
        deadline = time.monotonic() + timeout_s
        words = "the head runs" if self.head else "a node of"
        while words not in self.log.read_text(encoding="utf-8", errors="replace"):
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start: {self.log.read_text(encoding='utf-8')}")
            time.sleep(0.1)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it: at once, as a crash would, or in order."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(STOP_S)
            self.process = None


@dataclass
class LoopbackFarm:
    """A head and nodes with stand-in phones. Use as a context manager."""

    folder: Path
    port: int = PORT
    cpus: int = 1
    names: tuple[str, ...] = NODES
    phones_each: int = PHONES
    make_phone: Callable[[], StandIn] = StandIn

    def __post_init__(self) -> None:
        self.address = f"127.0.0.1:{self.port}"
        self.head = LoopbackNode("head", self.folder, self.address, 0, head=True)
        self.nodes: dict[str, LoopbackNode] = {}
        self.servers: dict[str, AdbServer] = {}
        self.phones: dict[str, list[StandIn]] = {}
        self._stack = ExitStack()

    @property
    def serials(self) -> list[str]:
        """Of every phone."""
        return [phone.serial for phones in self.phones.values() for phone in phones]

    def __enter__(self) -> "LoopbackFarm":
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        self._begin(self.head)
        for name in self.names:
            home = self.folder / f"adb-{name}"
            home.mkdir(exist_ok=True)
            server = self.servers[name] = self._stack.enter_context(AdbServer(home))
            self.phones[name] = [self._stack.enter_context(self.make_phone()) for _ in range(self.phones_each)]
            for phone in self.phones[name]:
                answer = server.connect(phone.serial)
                assert answer.startswith("connected"), answer
            locks = {"EDGEPROOF_LOCKS": str(self.folder / "locks")}
            self.nodes[name] = LoopbackNode(
                name, self.folder, self.address, self.cpus, environment=server.address | locks
            )
        self.head.wait()
        for node in self.nodes.values():
            # One after the other: Ray gives a node half a minute, and starting is all that this machine does then.
            self._begin(node)
            node.wait()

    def _begin(self, node: LoopbackNode) -> None:
        node.start()
        self._stack.callback(node.kill, signal.SIGTERM)

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def run() -> int:
    """Be the cluster until SIGTERM."""
    HOME.mkdir(parents=True, exist_ok=True)
    with FileLock(HOME / "lock", timeout=0):
        (HOME / "pid").write_text(str(os.getpid()), encoding="utf-8")
        (HOME / "benchmark_model").write_bytes(fake_binary())
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with LoopbackFarm(HOME) as farm:
            (HOME / "ready").write_text(_told(farm), encoding="utf-8")
            while True:
                signal.pause()


def _told(farm: LoopbackFarm) -> str:
    devices = " ".join(farm.serials)
    return (
        f"RAY_ADDRESS={farm.address}\n"
        f'DEVICES="{devices}"\n'
        f"BENCHMARK_BINARY={(HOME / 'benchmark_model').relative_to(ROOT)}\n"
    )


def start() -> int:
    """Start the cluster in the background and say how to use it."""
    HOME.mkdir(parents=True, exist_ok=True)
    ready = HOME / "ready"
    if not _runs():
        ready.unlink(missing_ok=True)
        with (HOME / "farm.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.devices.farm", "run"],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 2 * START_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                print(f"error: the cluster did not start (see {HOME / 'farm.log'})", file=sys.stderr)
                return 1
            time.sleep(0.2)
    print(ready.read_text(encoding="utf-8"), end="")
    print('# measure there:  make all RUNTIME=ray RAY_ADDRESS=… DEVICES="…" BENCHMARK_BINARY=…', file=sys.stderr)
    print("# stop it:        make farm-stop", file=sys.stderr)
    return 0


def stop() -> int:
    """End the cluster; whoever runs it ends all of it."""
    if _runs():
        os.kill(int((HOME / "pid").read_text(encoding="utf-8")), signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while _runs() and time.monotonic() < deadline:
            time.sleep(0.1)
    (HOME / "ready").unlink(missing_ok=True)
    return 1 if _runs() else 0


def _runs() -> bool:
    """Whoever runs the cluster holds its lock; the kernel lets go of it when that ends."""
    if not (HOME / "lock").exists():
        return False
    try:
        with FileLock(HOME / "lock", timeout=0):
            return False
    except Timeout:
        return True


if __name__ == "__main__":
    sys.exit({"start": start, "stop": stop, "run": run}[sys.argv[1]]())
