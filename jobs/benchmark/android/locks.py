"""One run per device at a time, whatever adb calls it."""

import getpass
import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from common.adb.attached import Identify
from common.adb.identity import identity as ask
from common.adb.names import safe_name
from common.adb.surroundings import locks_folder
from common.errors import TryLaterError
from common.provenance import IMAGE_VARIABLE

IDENTITY_DIGITS = 16
# A frozen phone is to be told soon; it is asked again when it has answered something.
PATIENCE_S = 1.5
# One that has answered something tells it in time.
INSISTING_S = 10.0


def identity(serial: str) -> str | None:
    """What the device says of itself, if it does so soon."""
    return ask(serial, PATIENCE_S)


def patiently(serial: str) -> str | None:
    """The same of one that answers, though late."""
    return ask(serial, INSISTING_S)


class Hold:
    """The locks of a device: one of the name that adb has for it, which lasts while it is started anew, and one of what
    it says of itself, which it keeps under every name."""

    def __init__(self, serial: str, purpose: str, locks: ExitStack, identify: Identify = identity) -> None:
        """The locks live as long as `locks`."""
        self.serial, self._purpose, self._locks, self._identify = serial, purpose, locks, identify
        self._folder = locks_folder(os.environ, Path.home())
        self._folder.mkdir(parents=True, exist_ok=True)
        self._held: set[str] = set()
        self._take(safe_name(serial))
        self.renew()

    def insist(self) -> None:
        """Ask a device that has answered something since, and was not held by what it says yet, once more and with more
        patience. Raises TryLaterError."""
        if len(self._held) == 1:
            self._hold(patiently(self.serial) if self._identify is identity else self._identify(self.serial))

    def renew(self) -> None:
        """Hold it by what it says now: after it was started again that is something else, and one that was frozen says
        something at last. Raises TryLaterError."""
        self._hold(self._identify(self.serial))

    def _hold(self, known: str | None) -> None:
        if known is not None:
            # No serial has such a name (common.adb.names.safe_name).
            self._take(f"phone={hashlib.sha256(known.encode()).hexdigest()[:IDENTITY_DIGITS]}")

    def _take(self, name: str) -> None:
        if name in self._held:
            return
        path = self._folder / f"{name}.lock"
        owner = path.with_suffix(".json")
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise TryLaterError(_refusal(self.serial, owner), hint="wait until it has ended") from None
        self._held.add(name)
        self._locks.callback(lock.release)
        self._locks.callback(owner.unlink, missing_ok=True)
        said = {"serial": self.serial, "process": os.getpid(), "host": socket.gethostname(), "user": _user()}
        said["container"] = bool(os.environ.get(IMAGE_VARIABLE))
        since = datetime.now(UTC).isoformat(timespec="seconds")
        owner.write_text(json.dumps(said | {"purpose": self._purpose, "since": since}), encoding="utf-8")


@contextmanager
def held(serial: str, purpose: str, identify: Identify = identity) -> Iterator[Hold]:
    """Hold a device. Raises TryLaterError naming who holds it, and under which name; the kernel frees it when its
    holder ends."""
    with ExitStack() as locks:
        yield Hold(serial, purpose, locks, identify)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _refusal(serial: str, owner: Path) -> str:
    said = _said(owner)
    try:
        other = said.get("serial", serial)
        # That number is not the host's.
        process = f"process {said['process']}{' of one of our containers' if said.get('container') else ''}"
        by = f"{process} of {said['user']} on {said['host']} since {said['since']} ({said['purpose']})"
    except KeyError:
        other, by = serial, "another run"
    if other == serial:
        return f"{serial} is in use by {by}"
    return f"{serial} is the phone {other}, under another name, which is in use by {by}"


def _said(owner: Path) -> Mapping[str, object]:
    try:
        found = json.loads(owner.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
