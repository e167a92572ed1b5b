"""The phone's files, in memory: enough of POSIX for a benchmark's pushes, and a disk that can fill up."""

import errno
import os
import posixpath
import stat
import threading
import time
from dataclasses import dataclass, field

from tests.devices.phone.personality import Storage

WRITABLE = ("/data/local/tmp", "/sdcard", "/storage/emulated/0")
# Mounted without the right to execute.
NO_EXECUTE = ("/sdcard", "/storage/emulated/0")
FILE = stat.S_IFREG
FOLDER = stat.S_IFDIR
LINK = stat.S_IFLNK
KB = 1024


@dataclass
class Node:
    """A file, folder or symbolic link; `data` is the content, or the target of a link."""

    mode: int
    data: bytes = b""
    modified: int = field(default_factory=lambda: int(time.time()))
    uid: int = 2000

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class FileSystem:
    """Files by their absolute path. Every error is the OSError that the kernel would give."""

    def __init__(self, storage: Storage) -> None:
        """An Android tree with an empty /data/local/tmp."""
        self.storage = storage
        self.lock = threading.RLock()
        self.nodes: dict[str, Node] = {"/": Node(FOLDER | 0o755, uid=0)}
        for path in ("/data/local/tmp", "/sdcard", "/storage/emulated/0", "/proc", "/sys", "/system/bin", "/vendor"):
            self.add(path, b"", FOLDER | 0o771)

    def add(self, path: str, data: bytes, mode: int = FILE | 0o644) -> None:
        """Put a file there, whoever may write there, with the folders above it."""
        with self.lock:
            for parent in reversed(parents(path)):
                self.nodes.setdefault(parent, Node(FOLDER | 0o755, uid=0))
            self.nodes[path] = Node(mode, data, uid=2000 if writable(path) else 0)

    def used_kb(self) -> int:
        """What pushed files take, rounded up to blocks as a disk does."""
        with self.lock:
            return sum(-(-len(node.data) // (4 * KB)) * 4 for path, node in self.nodes.items() if writable(path))

    def free(self) -> Storage:
        """/data now."""
        return Storage(self.storage.total_kb, max(self.storage.free_kb - self.used_kb(), 0))

    def resolve(self, path: str, depth: int = 0) -> str:
        """The path behind symbolic links."""
        path = posixpath.normpath(path)
        path = "/" + path.lstrip("/")
        node = self.nodes.get(path)
        if node and stat.S_ISLNK(node.mode):
            if depth > 8:
                raise _error(errno.ELOOP, path)
            return self.resolve(posixpath.join(posixpath.dirname(path), node.data.decode()), depth + 1)
        return path

    def node(self, path: str, *, follow: bool = True) -> Node:
        """What is there. Raises FileNotFoundError, NotADirectoryError."""
        with self.lock:
            path = self.resolve(path) if follow else "/" + posixpath.normpath(path).lstrip("/")
            for parent in parents(path):
                if (
                    parent in self.nodes
                    and not self.nodes[parent].is_folder
                    and not stat.S_ISLNK(self.nodes[parent].mode)
                ):
                    raise _error(errno.ENOTDIR, path)
            if path not in self.nodes:
                raise _error(errno.ENOENT, path)
            return self.nodes[path]

    def exists(self, path: str) -> bool:
        """Whether anything is there."""
        try:
            self.node(path)
        except OSError:
            return False
        return True

    def read(self, path: str) -> bytes:
        """Content of a file. Raises OSError."""
        node = self.node(path)
        if node.is_folder:
            raise _error(errno.EISDIR, path)
        return node.data

    def write(self, path: str, data: bytes, mode: int | None = None, *, append: bool = False) -> None:
        """Create or replace a file. Raises OSError: no such folder, no right, no space."""
        with self.lock:
            path = self.resolve(path)
            if self.nodes.get(posixpath.dirname(path)) is None:
                raise _error(errno.ENOENT, path)
            old = self.nodes.get(path)
            if old and old.is_folder:
                raise _error(errno.EISDIR, path)
            if not writable(path):
                raise _error(errno.EACCES, path)
            data = (old.data if old and append else b"") + data
            growth = len(data) - (len(old.data) if old else 0)
            if growth > self.free().free_kb * KB:
                raise _error(errno.ENOSPC, path)
            permissions = mode if mode is not None else stat.S_IMODE(old.mode) if old else 0o644
            self.nodes[path] = Node(FILE | permissions, data)

    def make_folder(self, path: str, *, parents_too: bool = False) -> None:
        """mkdir. Raises OSError."""
        with self.lock:
            path = "/" + posixpath.normpath(path).lstrip("/")
            if path in self.nodes:
                if parents_too and self.node(path).is_folder:
                    return
                raise _error(errno.EEXIST, path)
            above = posixpath.dirname(path)
            if above not in self.nodes:
                if not parents_too:
                    raise _error(errno.ENOENT, path)
                self.make_folder(above, parents_too=True)
            if not writable(path):
                raise _error(errno.EACCES, path)
            self.nodes[path] = Node(FOLDER | 0o771)

    def link(self, path: str, target: str) -> None:
        """ln -s."""
        with self.lock:
            if not writable(path):
                raise _error(errno.EACCES, path)
            self.nodes[posixpath.normpath(path)] = Node(LINK | 0o777, target.encode())

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """rm, with `recursive` rm -r. Raises OSError."""
        with self.lock:
            path = "/" + posixpath.normpath(path).lstrip("/")
            node = self.node(path, follow=False)
            if not writable(path):
                raise _error(errno.EACCES, path)
            if node.is_folder and not recursive:
                raise _error(errno.EISDIR, path)
            for inner in [name for name in self.nodes if name == path or name.startswith(path + "/")]:
                del self.nodes[inner]

    def children(self, path: str) -> list[str]:
        """Names in a folder, sorted. Raises OSError."""
        with self.lock:
            path = self.resolve(path)
            if not self.node(path).is_folder:
                raise _error(errno.ENOTDIR, path)
            return sorted(
                posixpath.basename(name) for name in self.nodes if name != "/" and posixpath.dirname(name) == path
            )

    def executable(self, path: str) -> bool:
        """Whether the mode and the mount let it run."""
        node = self.node(path)
        return bool(node.mode & 0o111) and not node.is_folder and not self.resolve(path).startswith(NO_EXECUTE)


def parents(path: str) -> list[str]:
    """Folders above a path, the nearest first."""
    above = []
    while path != "/":
        path = posixpath.dirname(path)
        above.append(path)
    return above


def writable(path: str) -> bool:
    """Whether the shell user may write there."""
    return any(path == root or path.startswith(root + "/") for root in WRITABLE)
