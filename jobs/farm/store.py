"""The files that a node has, by their content: each is sent to it once."""

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from common.artifact import sha256_file
from common.errors import EdgeproofError
from jobs.farm.manifest import Entry

SHA256 = re.compile(r"[0-9a-f]{64}")
PARTIAL = ".partial"


class DamagedError(EdgeproofError):
    """What arrived is not what was sent."""


class Store:
    """A folder of files that are called after their sha256. `most_bytes` is what stays there when no job runs: the ones
    that were used last. One process writes it at a time, who holds the node's lock."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"*{PARTIAL}"):
            leftover.unlink()

    def path(self, sha256: str) -> Path:
        """Where a content lies. Raises DamagedError for what is no sha256."""
        if not SHA256.fullmatch(sha256):
            raise DamagedError(f"{sha256!r} is no sha256")
        return self.folder / sha256

    def missing(self, entries: Iterable[Entry]) -> tuple[str, ...]:
        """The contents that are not here as they should be; a file that was damaged since is dropped."""
        wanted = {entry.sha256: entry.size_bytes for entry in entries}
        return tuple(sha256 for sha256, size_bytes in wanted.items() if not self._has(sha256, size_bytes))

    def _has(self, sha256: str, size_bytes: int) -> bool:
        path = self.path(sha256)
        if not path.is_file():
            return False
        if path.stat().st_size != size_bytes or sha256_file(path) != sha256:
            path.unlink()
            return False
        os.utime(path)
        return True

    def take(self, sha256: str, data: bytes, *, last: bool) -> None:
        """The next bytes of a content. Raises DamagedError when all of them are not what they are called."""
        partial = self.path(sha256).with_suffix(PARTIAL)
        with partial.open("ab") as stream:
            stream.write(data)
        if last:
            if sha256_file(partial) != sha256:
                partial.unlink()
                raise DamagedError(f"{sha256[:12]} arrived damaged", hint="run make again")
            self._keep(partial, sha256)

    def adopt(self, path: Path, sha256: str) -> None:
        """Keep a copy of a file that a job made here, which the next one reads."""
        if not self.path(sha256).exists():
            partial = self.path(sha256).with_suffix(PARTIAL)
            shutil.copyfile(path, partial)
            self._keep(partial, sha256)

    def _keep(self, partial: Path, sha256: str) -> None:
        partial.chmod(0o444)
        partial.replace(self.path(sha256))

    def give(self, entry: Entry, to: Path, *, written: bool) -> None:
        """Put a content into a job's folder: as a second name of the same file where it is only read, as a file of its
        own where it is `written`."""
        to.parent.mkdir(parents=True, exist_ok=True)
        if not written:
            with suppress(OSError):
                to.hardlink_to(self.path(entry.sha256))
                return
        shutil.copyfile(self.path(entry.sha256), to)

    def shrink(self) -> int:
        """Drop what was used least recently beyond the bound; the bytes that stay. A job that runs keeps its files."""
        found = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self.folder.iterdir())
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= self._most_bytes:
                break
            path.unlink()
            total -= size
        return total
