"""What a job reads and leaves, file by file, by content. Reads files, and nothing else."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from common.artifact import sha256_file
from common.errors import UsageError

# Of whoever writes a folder at the moment, and no part of what it holds.
PASSING = (".lock",)
PARTIAL = ".partial"


@dataclass(frozen=True)
class Entry:
    """A file: its absolute path without the first slash, as it has it below a node's copy of this machine's tree."""

    name: str
    sha256: str
    size_bytes: int


def name_of(path: Path, cwd: Path) -> str:
    """A path as an entry has it; a relative one starts at `cwd`. Links stay as they are."""
    return Path(os.path.normpath(cwd / path)).as_posix().lstrip("/")


def entries(paths: Iterable[Path], cwd: Path) -> tuple[Entry, ...]:
    """Every file that these are or hold, each once. Raises UsageError for what is missing or cannot be sent."""
    found: dict[str, Entry] = {}
    for path in paths:
        if not (cwd / path).exists():
            raise UsageError(f"{path} does not exist")
        for file in files(cwd / path):
            name = name_of(file, cwd)
            if name not in found:
                found[name] = Entry(name, _sha256(file, *_stamp(file)), file.stat().st_size)
    return tuple(found.values())


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


@cache
def _sha256(path: Path, _inode: int, _mtime_ns: int, _size_bytes: int) -> str:
    # A thousand phones are sent the same files: they are read once.
    return sha256_file(path)


def files(path: Path) -> Iterator[Path]:
    """The files of a folder in a fixed order, or the file itself. Raises UsageError for a link to a folder inside of
    it, and for what is no file: neither can be sent."""
    if not path.is_dir():
        yield _plain(path)
        return
    for folder, inner, names in os.walk(path):
        inner.sort()
        for name in inner:
            if Path(folder, name).is_symlink():
                raise UsageError(f"{Path(folder, name)} is a link to a folder", hint="put the folder itself there")
        for name in sorted(names):
            if name not in PASSING and not name.endswith(PARTIAL):
                yield _plain(Path(folder, name))


def _plain(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"{path} is no plain file, and cannot be sent", hint="remove it, or give another folder")
    return path


def moved(argv: Sequence[str], paths: Iterable[Path], cwd: Path) -> tuple[str, ...]:
    """A command with those absolute paths told from `cwd` on, which lead to the same files below a node's copy of the
    tree, and here."""
    absolute = {path for path in paths if path.is_absolute()}
    return tuple(os.path.relpath(word, cwd) if Path(word) in absolute else word for word in argv)


def inside(name: str, folders: Iterable[str]) -> bool:
    """Whether a name from elsewhere is that of a file below one of these folders, and leads nowhere else."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or path.as_posix() != name:
        return False
    return any(path != PurePosixPath(folder) and path.is_relative_to(folder) for folder in folders)
