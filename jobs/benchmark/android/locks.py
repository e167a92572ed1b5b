"""One run per device at a time."""

import getpass
import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from common.errors import TryLaterError

VARIABLE = "EDGEPROOF_LOCKS"
SHOWN = 40
DIGEST_DIGITS = 8


def safe_name(serial: str) -> str:
    """A serial as the name of a folder: `192.168.1.5:5555` becomes `192.168.1.5_5555-1a2b3c4d`.

    One that is a plain name stays as it is; any other gets a piece of its hash, so that no two collide.
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.]{0,39}", serial) and serial not in ("host", "any"):
        return serial
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", serial)[:SHOWN].lstrip(".")
    return f"{plain}-{hashlib.sha256(serial.encode('utf-8', 'surrogateescape')).hexdigest()[:DIGEST_DIGITS]}"


def locks_folder() -> Path:
    """Where locks lie: EDGEPROOF_LOCKS, or the user's cache."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeproof" / "locks"


@contextmanager
def held(serial: str, purpose: str) -> Iterator[None]:
    """Hold a device. Raises TryLaterError naming who holds it; the kernel frees it when its holder ends."""
    folder = locks_folder()
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
