"""This machine as a node of a cluster, with its phones, for as long as the process runs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

from filelock import FileLock, Timeout

from common.errors import UsageError
from common.printable import tell
from common.provenance import ROOT
from jobs.farm.cluster import ADDRESS_VARIABLE, RayNode
from jobs.farm.order import resource
from jobs.farm.parent import end_all, end_with_parent
from jobs.farm.phones import hanging, labels
from jobs.farm.seat import FOLDER_VARIABLE, node_folder

POLL_S = 3.0


def keep(address: str, *, head: bool, cpus: int | None) -> int:
    """Be a node until SIGTERM or Ctrl-C: joins again when the head comes back, and brings in phones that are plugged in
    later. Raises UsageError where this machine is a node already."""
    folder = node_folder()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / "node.lock", timeout=0)
        lock.acquire()
    except Timeout:
        hint = f"it brings in new phones by itself; another one needs a folder of its own in {FOLDER_VARIABLE}"
        raise UsageError(f"this machine is a node already, in {folder}", hint=hint) from None
    # What Ray starts here finds this checkout, wherever the driver's lies.
    os.environ |= {FOLDER_VARIABLE: str(folder.absolute()), "PYTHONPATH": str(ROOT)}
    keeper = _Keeper(address, head=head, cpus=cpus)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, keeper.stop)
    return keeper.run()


class _Keeper:
    """Starts Ray's nodes of this machine, each as a process of its own: what Ray has half started ends with that."""

    def __init__(self, address: str, *, head: bool, cpus: int | None) -> None:
        self._address, self._head, self._cpus = address, head, cpus
        self._nodes: list[_Started] = []
        self._said = ""

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        for node in self._nodes:
            node.end()
        os._exit(0)

    def run(self) -> int:
        while True:
            self._look()
            time.sleep(POLL_S)

    def _look(self) -> None:
        """Start what is not there: the node itself, then one without processors for phones that are new."""
        ended = [node for node in self._nodes if not node.alive()]
        if ended:
            self._tell(f"note: {self._address} is not there, or gone; joining again")
        self._nodes = [node for node in self._nodes if node not in ended]
        known = {serial for node in self._nodes for serial in node.serials}
        found = [] if self._head else [phone.serial for phone in hanging() if phone.properties is not None]
        new = tuple(serial for serial in found if serial not in known)
        main = not any(node.main for node in self._nodes)
        if main or new:
            self._nodes.append(_Started(self._address, head=self._head, main=main, cpus=self._cpus, serials=new))

    def _tell(self, text: str) -> None:
        if text != self._said:
            self._said = text
            tell(text, sys.stderr)


class _Started:
    """A process that is a node; the first of a machine has its processors, the others bring in phones alone."""

    def __init__(self, address: str, *, head: bool, main: bool, cpus: int | None, serials: tuple[str, ...]) -> None:
        self.main, self.serials = main, serials
        phones = [part for serial in serials for part in ("--serial", serial)]
        share = ["--cpus", str(cpus if main else 0)] if cpus is not None or not main else []
        argv = [sys.executable, "-m", "jobs.farm", "ray-node", *(["--head"] if head else []), *share, *phones]
        self._process = subprocess.Popen(  # noqa: S603
            argv, env={**os.environ, ADDRESS_VARIABLE: address}, stdin=subprocess.PIPE
        )

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, and Ray's processes with it."""
        end_all(self._process.pid)
        self._process.wait()


def serve(address: str, *, head: bool, cpus: int | None, serials: Sequence[str]) -> int:
    """Be one of Ray's nodes until one of its processes, or who started this, has ended. Raises NoClusterError."""
    end_with_parent()
    phones = [phone for phone in hanging() if phone.serial in serials] if serials else []
    node = RayNode(
        address,
        head=head,
        cpus=cpus,
        resources={resource(serial): 1.0 for serial in serials},
        labels={name: text for phone in phones for name, text in labels(phone).items()},
    )
    told = ", ".join(serials) or "no phones"
    tell(f"the head runs at {address}" if head else f"a node of {address}, with {told}")
    while node.alive():
        time.sleep(1.0)
    node.end()
    return 1
