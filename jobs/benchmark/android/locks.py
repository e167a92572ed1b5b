"""One run per device at a time."""

import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from common.adb.names import safe_name
from common.adb.surroundings import locks_folder
from common.errors import TryLaterError


@contextmanager
def held(serial: str, purpose: str) -> Iterator[None]:
    """Hold a device. Raises TryLaterError naming who holds it; the kernel frees it when its holder ends."""
    folder = locks_folder(os.environ, Path.home())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{safe_name(serial)}.lock"
    owner = path.with_suffix(".json")
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TryLaterError(f"{serial} is in use by {_holder(owner)}", hint="wait until it has ended") from None
    try:
        said = {"process": os.getpid(), "host": socket.gethostname(), "user": _user(), "purpose": purpose}
        since = datetime.now(UTC).isoformat(timespec="seconds")
        owner.write_text(json.dumps(said | {"since": since}), encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _holder(owner: Path) -> str:
    try:
        said = json.loads(owner.read_text(encoding="utf-8"))
        return (
            f"process {said['process']} of {said['user']} on {said['host']} since {said['since']} ({said['purpose']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"
