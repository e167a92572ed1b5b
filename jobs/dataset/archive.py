"""Zip and tar archives, read in place: nothing is ever extracted, and everything is checked first."""

import bz2
import gzip
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

from common.errors import UsageError
from jobs.dataset.errors import UnusableFileError
from jobs.dataset.layout import Entry, shown
from jobs.dataset.xz import XzReader

MIB = 1 << 20
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
ENCRYPTED_FLAG = 0x1
UNIX_MODE_SHIFT = 16
DRIVE = re.compile(r"[A-Za-z]:")
# The readers of the standard library raise these too for headers that are made up: numbers without end, tables
# without entries, headers that follow each other a thousand deep.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError, struct.error, EOFError, OSError),
    *(ValueError, LookupError, ArithmeticError, RuntimeError),
)


@dataclass(frozen=True)
class Limits:
    """What an archive may hold; beyond it, it is taken for a bomb or a mistake."""

    # Twice the largest dataset that the generator makes.
    entries: int = 200_000
    # Above an uncompressed picture of the largest size that is decoded.
    entry_bytes: int = 256 * MIB
    # 100,000 photos of 640 KiB.
    total_bytes: int = 64 * 1024 * MIB
    # Unpacked over packed. Photos hardly shrink at all, drawings some 20 times, bombs 1,000 times.
    ratio: float = 200.0
    # Below this a high ratio does no harm: a small, flat bitmap has one.
    ratio_from_bytes: int = 16 * MIB
    # What may be read at once while the list of members is made: 200,000 entries of a zip take 24 MiB.
    headers_bytes: int = 32 * MIB
    # All headers of a tar, on top of so much per member: three blocks, or more for long names.
    header_bytes: int = MIB
    per_header_bytes: int = 4096


LIMITS = Limits()
UNSAFE = "the archive is not safe: pack it again"
Reader = Callable[[], bytes]


class _Capped:
    """A stream that refuses to give more than an archive may hold, so that no header can ask for it.

    `at_once` bytes may be read in one call. `allowed` falls with every read and not with a seek: None is no bound.
    """

    def __init__(self, stream: IO[bytes], limits: Limits, where: str, at_once: int) -> None:
        self._stream, self._limits, self._where, self.at_once = stream, limits, where, at_once
        self.allowed: int | None = None

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.at_once:
            raise UsageError(f"{self._where}: a header asks for {size} bytes at once", hint=UNSAFE)
        if self.tell() + size > self._limits.total_bytes + tarfile.RECORDSIZE:
            raise _too_large(self._where, self._limits)
        if self.allowed is not None:
            self.allowed -= size
            if self.allowed < 0:
                raise UsageError(f"{self._where} has more headers than its members need", hint=UNSAFE)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


class _CappedZip(_Capped):
    """The same for `zipfile`, which asks for all that is left only once it knows how little that is."""

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            here = self.tell()
            size = self.seek(0, 2) - here
            self.seek(here)
        return super().read(size)

    def seekable(self) -> bool:
        return True


@dataclass(frozen=True)
class Archive:
    """An archive whose members have been checked. `open_members` gives every file's path and a
    function that reads it, in the archive's order; call each before the next when it is a tar."""

    entries: tuple[Entry, ...]
    open_members: Callable[[], Iterator[tuple[str, Reader]]]


def open_archive(file: IO[bytes], where: str, limits: Limits = LIMITS) -> Archive:
    """Check the archive in `file` (zip, or tar plain or compressed by gzip, bzip2 or xz).

    Raises UsageError naming the archive (`where`) and the member when it is damaged or unsafe.
    """
    file.seek(0)
    magic = file.read(4)
    try:
        return _zip(file, where, limits) if magic in ZIP_MAGIC else _tar(file, where, limits)
    except DAMAGE as error:
        text = f"{where} is not a readable zip or tar archive: {error}"
        raise UsageError(text, hint="download or pack it again") from None


def _zip(file: IO[bytes], where: str, limits: Limits) -> Archive:
    # The list of members is read as a whole before it is looked at.
    capped = _CappedZip(file, limits, where, limits.headers_bytes)
    archive = zipfile.ZipFile(capped)
    capped.at_once = limits.entry_bytes + MIB
    members = archive.infolist()
    total = 0
    for count, member in enumerate(members, 1):
        if member.flag_bits & ENCRYPTED_FLAG:
            raise _refused(where, member.filename, "is encrypted")
        kind = stat.S_IFMT(member.external_attr >> UNIX_MODE_SHIFT)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _refused(where, member.filename, "is a link or a device")
        total += member.file_size
        _check_member(where, member.filename, member.file_size, limits)
        _check_ratio(where, member.filename, member.file_size, member.compress_size, limits)
        _check_totals(where, count, total, limits)

    def open_members() -> Iterator[tuple[str, Reader]]:
        for member in members:
            if not member.is_dir():
                yield _path(member.filename), partial(_read_zip, archive, member)

    return Archive(tuple(Entry(_path(m.filename), m.is_dir()) for m in members), open_members)


def _read_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as stream:
            return stream.read(member.file_size)
    except DAMAGE as error:
        raise UnusableFileError(f"damaged in the archive: {error}") from None


def _tar(file: IO[bytes], where: str, limits: Limits) -> Archive:
    file.seek(0, 2)
    packed = file.tell()
    entries: list[Entry] = []
    total = 0
    stream = _unpacked(file, where, limits, MIB)
    stream.allowed = limits.header_bytes
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        for member in archive:
            stream.allowed += limits.per_header_bytes
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise _refused(where, member.name, "is a link, a device or a sparse file")
            total += member.size
            _check_member(where, member.name, member.size, limits)
            _check_ratio(where, member.name, total, packed, limits)
            _check_totals(where, len(entries) + 1, total, limits)
            entries.append(Entry(_path(member.name), member.isdir()))
    stream.allowed = None
    # To the very end, because a compressed file's checksum stands there.
    while stream.read(MIB):
        _check_ratio(where, "its end", stream.tell(), packed, limits)

    def open_members() -> Iterator[tuple[str, Reader]]:
        with tarfile.open(
            fileobj=_unpacked(file, where, limits, limits.entry_bytes + tarfile.RECORDSIZE), mode="r:"
        ) as again:  # type: ignore[call-overload]
            for member in again:
                if member.isreg():
                    data = _read_tar(again, member)
                    yield _path(member.name), partial(bytes, data)

    return Archive(tuple(entries), open_members)


def _read_tar(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return b"" if stream is None else stream.read()


def _unpacked(file: IO[bytes], where: str, limits: Limits, at_once: int) -> _Capped:
    file.seek(0)
    magic = file.read(6)
    file.seek(0)
    stream: IO[bytes] = file
    if magic.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
    elif magic.startswith(b"BZh"):
        stream = bz2.BZ2File(file)
    elif magic == b"\xfd7zXZ\x00":
        stream = io.BufferedReader(XzReader(file, where), MIB)
    return _Capped(stream, limits, where, at_once)


def _path(name: str) -> str:
    # Some Windows programs pack with backslashes.
    return name.replace("\\", "/")


def _check_member(where: str, name: str, size: int, limits: Limits) -> None:
    path = _path(name)
    if path.startswith("/") or DRIVE.match(path):
        raise _refused(where, name, "has an absolute path")
    if ".." in path.split("/"):
        raise _refused(where, name, "leaves the archive's folder")
    if size < 0:
        raise _refused(where, name, f"has a size of {size} bytes")
    if size > limits.entry_bytes:
        raise _refused(where, name, f"has {size} bytes, the limit is {limits.entry_bytes}")


def _check_ratio(where: str, name: str, size: int, packed: int, limits: Limits) -> None:
    if size > limits.ratio_from_bytes and size > limits.ratio * max(1, packed):
        raise _refused(where, name, f"unpacks to more than {limits.ratio:g} times its size, like a bomb")


def _check_totals(where: str, count: int, total: int, limits: Limits) -> None:
    if count > limits.entries:
        raise UsageError(f"{where} has more than {limits.entries} entries", hint="split it, or use a folder")
    if total > limits.total_bytes:
        raise _too_large(where, limits)


def _too_large(where: str, limits: Limits) -> UsageError:
    return UsageError(f"{where} unpacks to more than {limits.total_bytes} bytes", hint="use a folder instead")


def _refused(where: str, name: str, why: str) -> UsageError:
    return UsageError(f"{where}: member {shown(name)!r} {why}", hint="pack plain files without that, or use a folder")
