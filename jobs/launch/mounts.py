"""Which folders of the host a container sees, and where: each at its own path."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.errors import UsageError

# What the container needs of its own; nothing may be mounted over these or above them.
OWN = tuple(Path(p) for p in ("/bin", "/dev", "/etc", "/lib", "/opt/venv", "/proc", "/sys", "/tmp", "/usr"))  # noqa: S108


@dataclass(frozen=True)
class Bind:
    """A file or folder of the host that appears at the same absolute path in the container. `source` is the path
    with every symbolic link followed, as it was when it was checked."""

    path: Path
    read_only: bool
    source: Path


def binds_for(code: Iterable[Path], read: Sequence[Path], write: Sequence[Path], cwd: Path) -> tuple[Bind, ...]:
    """The binds for a job, outer folders before inner ones. Touches no file, but follows symbolic links.

    Relative paths start at `cwd`. A path that is read and written is writable; code never is.
    Raises UsageError for a path that is, or leads to, what would hide the container's own files, and for one that
    is written through a symbolic link: whoever made the link would choose what a job may write to.
    """
    fixed = {_absolute(path, cwd) for path in code}
    writable = {_absolute(path, cwd) for path in write}
    readable = {_absolute(path, cwd) for path in read} | fixed
    for path in writable & fixed:
        raise UsageError(f"{path} holds the code and cannot be written to", hint="choose another --write")
    ordered = sorted(readable | writable, key=lambda path: (len(path.parts), str(path)))
    binds = []
    for path in ordered:
        _check(path, path)
        source = path.resolve()
        _check(path, source)
        if path in writable and source != path:
            raise UsageError(f"{path} goes through a symbolic link to {source}", hint="give the path that it leads to")
        binds.append(Bind(path, read_only=path not in writable, source=source))
    return tuple(binds)


def prepare(binds: Iterable[Bind]) -> None:
    """Check that what is read exists and create the folders that are written.

    Raises UsageError naming the path.
    """
    binds = tuple(binds)
    for bind in binds:
        if bind.read_only and not bind.path.exists():
            raise UsageError(f"{bind.path} does not exist", hint="check --read")
        if not bind.read_only and bind.path.exists() and not bind.path.is_dir():
            raise UsageError(f"{bind.path} is a file, not a folder", hint="choose another --write")
    for bind in binds:
        if not bind.read_only:
            bind.path.mkdir(parents=True, exist_ok=True)


def _absolute(path: Path, cwd: Path) -> Path:
    """Absolute, with symbolic links as they are: the job must find the path that its arguments name."""
    joined = cwd / path
    plain = Path(os.path.normpath(joined))
    # normpath drops `link/..`, which leads somewhere else when `link` is a symbolic link.
    if ".." in joined.parts and os.path.realpath(joined) != os.path.realpath(plain):
        raise UsageError(f"{path} goes up from a symbolic link", hint="give the path without '..'")
    # POSIX lets a path start with two slashes and mean something of its own; here it does not.
    return Path("/", *plain.parts[1:])


def _check(path: Path, source: Path) -> None:
    try:
        str(source).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{str(source)!a} is not UTF-8, which the engine needs", hint="rename it") from None
    for own in OWN:
        if own.is_relative_to(source):
            raise UsageError(f"mounting {path} would hide the container's own {own}", hint="give a folder inside it")
