"""A file's bytes without reading them all: what is not looked at stays on the disk, what was is left there again."""

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path

# A file's bytes, or a map of them.
Content = bytes | memoryview
PIECE = 1 << 16
# Bytes that are read before they are left: each time costs a call and what is read once more.
HELD = 1 << 18


def opened(path: Path) -> memoryview:
    """A map of a file. Raises OSError where it cannot be read."""
    with path.open("rb") as stream:
        if stream.seek(0, 2) == 0:
            return memoryview(b"")
        held = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    # A byte that is looked at would bring two megabytes. Some kernels know no such pages.
    with contextlib.suppress(OSError):
        held.madvise(mmap.MADV_NOHUGEPAGE)
    return memoryview(held)


def pieces(content: Content) -> Iterator[Content]:
    """All of it, one after the other; of a map a small part is in memory at a time."""
    for at in range(0, len(content), PIECE):
        if at % HELD == 0:
            leave(content)
        yield content[at : at + PIECE]
    leave(content)


def leave(content: Content) -> None:
    """Take what was read of a map out of this process' memory; it is read again where it is looked at again."""
    held = content.obj if isinstance(content, memoryview) else None
    if isinstance(held, mmap.mmap):
        held.madvise(mmap.MADV_DONTNEED)
