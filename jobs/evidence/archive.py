"""The archive of a bundle: a plain tar of plain files, of which one list of files gives one sequence of bytes.

Nothing is compressed, so that no archive is larger inside than outside, and no version of a library packs it
differently. Whatever is not exactly as it is written here is refused: links, devices, folders, sparse and hidden files,
other times and modes, names twice or out of order, anything behind the end.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from common.artifact import MOST_FILE_BYTES, MOST_JSON_BYTES, open_plain
from common.errors import UsageError

MANIFEST = "manifest.json"
BLOCK, CHUNK = tarfile.BLOCKSIZE, 1 << 20
END = bytes(2 * BLOCK)
# The first moment that a zip could hold as well: old, and no tar program wonders at it.
TIME, MODE = 315_532_800, 0o644
# A name that neither a shell, a page nor another system takes for something else.
NAME = re.compile(r"[A-Za-z0-9_+=,@][A-Za-z0-9_+=,@.-]*(?:/[A-Za-z0-9_+=,@][A-Za-z0-9_+=,@.-]*){0,7}")
MOST_FILES, MOST_BYTES = 100_000, 16 << 30
KINDS = {
    tarfile.LNKTYPE: "a link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.DIRTYPE: "a folder",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
REFUSED = "take no file out of it: it is none that make bundle wrote"
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK": "zip", b"\x28\xb5\x2f\xfd": "zstd"}


def header(name: str, size_bytes: int) -> bytes:
    """The block before a file. Raises UsageError for a name that a bundle does not hold."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size_bytes, MODE, TIME
    try:
        if NAME.fullmatch(name) is None:
            raise ValueError("it has other characters than letters, digits and ._-+=,@")
        return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except ValueError as error:
        raise UsageError(
            f"{name!a} cannot be in a bundle: {error}", hint="give the file or folder another name"
        ) from None


def in_order(names: Sequence[str]) -> list[str]:
    """The manifest first, then by name."""
    return sorted(names, key=lambda name: (name != MANIFEST, name))


def write(stream: IO[bytes], name: str, content: IO[bytes], size_bytes: int) -> str:
    """Append a file; its sha256. Raises UsageError when it is of another size meanwhile."""
    stream.write(header(name, size_bytes))
    digest, left = hashlib.sha256(), size_bytes
    while chunk := content.read(CHUNK):
        left -= len(chunk)
        digest.update(chunk)
        stream.write(chunk)
    if left:
        raise UsageError(f"{name} changed while it was packed", hint="wait until the run has ended")
    stream.write(bytes(-size_bytes % BLOCK))
    return digest.hexdigest()


class Unpacker:
    """Takes the files of a bundle out, one after the other, into a folder that nobody else writes to."""

    def __init__(self, bundle: Path, folder: Path) -> None:
        self.bundle, self.folder = bundle, folder
        self.digest = hashlib.sha256()
        self._last = ""

    def unpack(self) -> Iterator[tuple[str, str, int]]:
        """Path, sha256 and size of every file. Raises UsageError for an archive that is not one of a bundle."""
        with open_plain(self.bundle) as stream:
            total = stream.seek(0, 2)
            if total > MOST_BYTES:
                raise self._refusal(f"has more than the {MOST_BYTES >> 30} GiB allowed")
            stream.seek(0)
            for number in range(MOST_FILES):
                block = self._read(stream, BLOCK)
                if not any(block):
                    self._end(stream, block)
                    return
                name, size_bytes = self._entry(block, first=not number)
                yield name, self._take(stream, name, size_bytes), size_bytes
            raise self._refusal(f"has more than {MOST_FILES} files")

    def _entry(self, block: bytes, *, first: bool) -> tuple[str, int]:
        if first and (packed := next((kind for start, kind in PACKED.items() if block.startswith(start)), None)):
            raise UsageError(f"{self.bundle} is compressed ({packed}), a bundle is not", hint="unpack it first")
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise self._refusal(f"is no bundle, or damaged: {error}") from None
        if info.type in KINDS:
            raise self._refusal(f"holds {KINDS[info.type]}: {info.name!a}")
        most = MOST_JSON_BYTES if first else MOST_FILE_BYTES
        if not 0 <= info.size <= most:
            raise self._refusal(f"holds a file of {info.size} bytes, {most} are allowed: {info.name!a}")
        try:
            same = header(info.name, info.size) == block
        except UsageError:
            raise self._refusal(f"holds a file with a name that is not plain: {info.name!a}") from None
        if not same:
            raise self._refusal(f"holds a file with a time, mode, owner or form of its own: {info.name!a}")
        if first != (info.name == MANIFEST) or info.name <= self._last:
            raise self._refusal(f"has its files out of order, or one twice: {info.name!a}")
        self._last = "" if first else info.name
        return info.name, info.size

    def _take(self, stream: IO[bytes], name: str, size_bytes: int) -> str:
        path, digest = self.folder / name, hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            taken = path.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise self._refusal(f"has a file and a folder of one name: {name!a}") from None
        with taken:
            for start in range(0, size_bytes, CHUNK):
                chunk = self._read(stream, min(CHUNK, size_bytes - start))
                digest.update(chunk)
                taken.write(chunk)
        if any(self._read(stream, -size_bytes % BLOCK)):
            raise self._refusal(f"hides something behind {name!a}")
        return digest.hexdigest()

    def _end(self, stream: IO[bytes], block: bytes) -> None:
        rest = block + stream.read(BLOCK + 1)
        self.digest.update(rest[BLOCK:])
        if rest != END:
            raise self._refusal("does not end where a bundle ends")

    def _read(self, stream: IO[bytes], size_bytes: int) -> bytes:
        found = stream.read(size_bytes)
        self.digest.update(found)
        if len(found) != size_bytes:
            raise self._refusal("is cut off")
        return found

    def _refusal(self, why: str) -> UsageError:
        return UsageError(f"{self.bundle} {why}", hint=REFUSED)
