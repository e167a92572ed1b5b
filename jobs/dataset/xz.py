"""Unpack xz in bounded memory: `lzma.LZMAFile` sets no limit, and an archive may ask for a dictionary of 4 GiB."""

import io
import lzma
from typing import IO

from common.errors import UsageError

MIB = 1 << 20
# `xz -9` takes 65 MiB.
MOST_BYTES = 256 * MIB
PACKED_AT_ONCE = 64 << 10
# What liblzma says; the module has no error of its own for it.
LIMIT = "Memory usage limit exceeded"


class XzReader(io.RawIOBase):
    """What `file` (xz) unpacks to. Raises UsageError naming the archive (`where`) when that takes too much memory."""

    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file, self._where = file, where
        self._rewind()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the size is not known before the end")
        if offset < self._at:
            self._rewind()
        while self._at < offset and self._unpack(min(offset - self._at, MIB)):
            pass
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        data = self._unpack(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _rewind(self) -> None:
        self._file.seek(0)
        self._at = 0
        self._unpacker = self._new()

    def _new(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_BYTES)

    def _unpack(self, most: int) -> bytes:
        """At most so many bytes; none only at the end."""
        data = b""
        while most and not data:
            packed = b""
            if self._unpacker.eof:
                packed = self._next_stream()
                if not packed:
                    break
                self._unpacker = self._new()
            elif self._unpacker.needs_input:
                packed = self._file.read(PACKED_AT_ONCE)
                if not packed:
                    raise EOFError("it ends too early")
            data = self._decompress(packed, most)
        self._at += len(data)
        return data

    def _next_stream(self) -> bytes:
        """The beginning of the stream after this one and its padding; nothing at the end."""
        packed = self._unpacker.unused_data or self._file.read(PACKED_AT_ONCE)
        while packed and not (rest := packed.lstrip(b"\0")):
            packed = self._file.read(PACKED_AT_ONCE)
        return rest if packed else b""

    def _decompress(self, packed: bytes, most: int) -> bytes:
        try:
            return self._unpacker.decompress(packed, most)
        except lzma.LZMAError as error:
            if str(error) != LIMIT:
                raise
            message = f"{self._where} takes more than the {MOST_BYTES // MIB} MiB of memory allowed to unpack"
            raise UsageError(message, hint="pack it with xz -9 or less") from None
