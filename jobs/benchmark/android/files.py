"""The run's folder on a device: what is pushed, verified, reused and removed."""

import hashlib
import re
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.adb import facts
from common.adb.errors import DeviceFileError, LimitError, NotReadyError, TransportError
from common.adb.names import quoted
from common.adb.server import Device
from common.artifact import sha256_file
from common.errors import EdgeproofError

# The only place of a phone that the shell user may write to and execute from.
ROOT = "/data/local/tmp"
PREFIX = f"{ROOT}/edgeproof-"
NAME_DIGITS = 16
NEW_BYTES = 6
# A slow wireless link; USB 2 does thirty times as much.
LEAST_BYTES_PER_S = 200_000
BASE_LIMIT_S = 30.0
KIB = 1024
# Left free on top of what is pushed: a phone whose storage is full misbehaves in other ways.
SPARE_KIB = 16 * 1024


class RunFolder:
    """A folder of our own on a device. Files are called after their content, so that one that is there
    already, from a run that was interrupted, is used again."""

    def __init__(self, device: Device, identity: str) -> None:
        """`identity` says whose folder it is; the same one finds it again."""
        self.device = device
        self.path = PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:NAME_DIGITS]
        self._there: dict[str, str] = {}
        self._expected: dict[str, int] = {}
        self._roomy = False
        # Whether anything of this run is, or may be, on the device.
        self.holds = False

    def expect(self, sizes: Mapping[str, int]) -> None:
        """What will be pushed, or takes room otherwise, in bytes by its sha256 or a name: the next push sees that
        there is room for all of it, so that a run does not end in its middle."""
        self._expected.update(sizes)
        self._roomy = False

    def exists(self) -> bool:
        """Whether an earlier run left the folder."""
        return self.device.run(["ls", "-d", self.path]).status == 0

    def free_kib(self) -> int | None:
        """Space on the device; None where it does not tell."""
        return facts.free_kib(self.device.run(["df", "-k", ROOT]).stdout)

    def forget(self) -> None:
        """Believe nothing about the device any more: it may have been restarted or wiped."""
        self._there.clear()
        self._roomy = False

    def put(self, source: Path, *, executable: bool = False, name: str | None = None) -> str:
        """Path of a file on the device that has the content of `source`; pushes it unless it is there.

        `name` is for libraries that are found by theirs, with a folder where they are a set. Raises
        EdgeproofError when the device has no room or does not keep the content.
        """
        digest = sha256_file(source)
        target = f"{self.path}/{name or digest[:NAME_DIGITS] + _suffix(source)}"
        if self._there.get(target) == digest:
            return target
        if self._digest(target) != digest:
            self._push(source, target, digest, executable=executable)
        self.holds = True
        self._there[target] = digest
        return target

    def write(self, path: str, content: bytes) -> None:
        """Give the tool a file of this content. Raises EdgeproofError when the device refuses it."""
        with tempfile.NamedTemporaryFile(prefix="edgeproof-") as source:
            source.write(content)
            source.flush()
            try:
                self.device.push(Path(source.name), path, 0o644, limit_s(len(content)))
            except DeviceFileError as error:
                raise EdgeproofError(f"{self.device.serial}: {error.message}", hint=error.hint) from None

    def path_of(self, name: str) -> str:
        """Where a file is, or is to be."""
        return f"{self.path}/{name}"

    def new_path(self, name: str) -> str:
        """Where the tool may write a file of its own. No other had that path: a tool that cannot write its file goes
        on, and what a process before it left is not read in its place."""
        return self.path_of(f"{secrets.token_hex(NEW_BYTES)}-{name}")

    def take(self, path: str, size: int = 0) -> bytes | None:
        """Content of a file that the tool wrote, of about `size` bytes, which is removed; None when there is none."""
        try:
            content = self.device.pull(path, limit_s(size))
        except DeviceFileError:
            return None
        self.drop(path)
        return content

    def take_all(self, paths: Sequence[str]) -> list[bytes | None]:
        """As `take`, of several small ones."""
        found: list[bytes | None] = []
        for path in paths:
            try:
                found.append(self.device.pull(path, limit_s(0)))
            except DeviceFileError:
                found.append(None)
        self.drop(*paths)
        return found

    def drop(self, *paths: str) -> None:
        """Remove files of the folder."""
        own = [path for path in paths if path.startswith(self.path + "/")]
        for path in own:
            self._there.pop(path, None)
        if own:
            self.device.run(["rm", "-f", *own])

    def removal(self) -> str:
        """How a person removes the folder."""
        return f"remove it with adb -s {quoted(self.device.serial)} shell rm -rf {self.path}"

    def remove(self) -> str | None:
        """Remove the folder. Gives the reason when that failed: nothing worse than some bytes left there."""
        if not re.fullmatch(re.escape(PREFIX) + r"[0-9a-f]{16}", self.path):
            return f"{self.path} is not a folder of this project"
        self._there.clear()
        try:
            ended = self.device.run(["rm", "-rf", self.path])
        except (TransportError, LimitError, NotReadyError) as error:
            return str(error)
        return None if ended.status == 0 else ended.text.strip() or f"exit status {ended.status}"

    def _push(self, source: Path, target: str, digest: str, *, executable: bool) -> None:
        size = source.stat().st_size
        self._expected.setdefault(digest, size)
        self.require_room(size)
        self.holds = True
        made = self.device.run(["mkdir", "-p", target.rpartition("/")[0]])
        if made.status != 0:
            raise EdgeproofError(f"{self.device.serial}: {made.text.strip()}", hint=f"is {ROOT} writable?")
        # The app is another user than the shell.
        self.device.run(["chmod", "755", self.path])
        try:
            self.device.push(source, target, 0o755 if executable else 0o644, limit_s(size))
        except DeviceFileError as error:
            raise EdgeproofError(f"{self.device.serial}: {error.message}", hint=error.hint) from None
        if executable:
            # Not every adbd takes the mode from the message.
            self.device.run(["chmod", "755", target])
        if self._digest(target) != digest:
            message = f"{self.device.serial}: {target} does not hold what was sent"
            raise EdgeproofError(message, hint="check the cable and the device's storage")

    def require_room(self, size: int = 0) -> None:
        """See that there is room for `size` bytes, and for all that is expected and is not there yet. Raises
        EdgeproofError."""
        free, left, what = self.free_kib(), size, ""
        if not self._roomy:
            missing = sum(self._expected.values()) - self._taken_kib() * KIB
            left, what = max(size, missing), " for all that is measured"
        needed = left // KIB + SPARE_KIB
        # Where all is there already nothing will be sent.
        if free is not None and left > 0 and free < needed:
            message = f"{self.device.serial}: {free // KIB} MiB free in {ROOT}, {needed // KIB + 1} MiB needed{what}"
            raise EdgeproofError(message, hint="free some space on the device")
        self._roomy = True

    def _taken_kib(self) -> int:
        """What an earlier run left, which is used again; 0 where the device does not tell."""
        ended = self.device.run(["du", "-s", "-k", self.path])
        found = re.match(r"(\d{1,12})\s", ended.stdout)
        return int(found[1]) if ended.status == 0 and found else 0

    def _digest(self, target: str) -> str | None:
        """sha256 of a file on the device; None when there is none."""
        ended = self.device.run(["sha256sum", target], BASE_LIMIT_S)
        found = re.match(r"\\?([0-9a-f]{64})\b", ended.stdout)
        if ended.status == 0 and found:
            return found[1]
        if "No such file" in ended.text:
            return None
        # Devices before Android 7 have no sha256sum.
        try:
            return hashlib.sha256(self.device.pull(target, BASE_LIMIT_S)).hexdigest()
        except DeviceFileError:
            return None


def limit_s(size: int) -> float:
    """Time limit for a transfer of `size` bytes."""
    return BASE_LIMIT_S + size / LEAST_BYTES_PER_S


def _suffix(source: Path) -> str:
    return source.suffix if re.fullmatch(r"\.[a-z]{1,8}", source.suffix) else ""
