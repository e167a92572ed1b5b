"""Where images come from: a folder, an archive, a URL or the generator, all seen the same way."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from common.errors import UsageError
from common.schema.experiment import Data
from common.schema.source import SYNTHETIC, is_url, public
from common.source import local_path
from jobs.dataset import synthetic
from jobs.dataset.archive import LIMITS, Reader, open_archive
from jobs.dataset.download import download
from jobs.dataset.errors import UnusableFileError
from jobs.dataset.images import Pixels, decode
from jobs.dataset.layout import Entry, Layout, arrange, shown
from jobs.dataset.progress import progress

Kind = Literal["folder", "archive", "url", "synthetic"]
# (height, width) to the sha256 of the file's bytes, or None without any, and the pixels.
Loader = Callable[[int, int], tuple[bytes | None, Pixels]]


@dataclass(frozen=True)
class Member:
    """One image file. `load(height, width)` gives the file's bytes (None for a generated picture)
    and its pixels, or raises UnusableFileError; it may run in another thread."""

    name: str
    label: int
    load: Loader


@dataclass(frozen=True)
class Source:
    """`count` members in `classes`. `sha256` is that of an archive. `members` may be gone through
    once, in any order that the source likes. `picklable` members may go to other processes."""

    kind: Kind
    name: str
    classes: tuple[str, ...]
    count: int
    sha256: str | None
    members: Callable[[], Iterator[Member]]
    picklable: bool = False


@contextmanager
def open_source(data: Data, seed: int, scratch: Path) -> Iterator[Source]:
    """Open what `data.source` names. A download lies in `scratch`, without a name, while it is open.

    Raises UsageError when it is missing, unsafe, not the one its sha256 says, or has no classes.
    """
    if is_url(data.source):
        with tempfile.TemporaryFile(dir=scratch) as file:
            yield _downloaded(data, file)
        return
    path = None if data.source == SYNTHETIC else local_path(data.source)
    if data.sha256 is not None and (path is None or path.is_dir()):
        raise UsageError(f"{data.source!r} is no file whose sha256 could be checked", hint="leave the sha256 out")
    if path is None:
        yield _synthetic(data, seed)
    elif path.is_dir():
        yield _folder(path, data.source)
    else:
        with path.open("rb") as file:
            # Of what is read, whatever the path names by then.
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if data.sha256 not in {None, digest}:
                raise UsageError(f"{path} has sha256 {digest}, expected {data.sha256}", hint="use the right file")
            yield _archived("archive", data.source, digest, file)


def _synthetic(data: Data, seed: int) -> Source:
    classes, count = synthetic.CLASSES, data.synthetic_images

    def members() -> Iterator[Member]:
        for number in range(count):
            index, label = divmod(number, len(classes))
            yield Member(f"{classes[label]}/{index:06d}", label, partial(_generate, seed, label, index))

    return Source("synthetic", SYNTHETIC, classes, count, None, members, picklable=True)


def _generate(seed: int, label: int, index: int, height: int, width: int) -> tuple[None, Pixels]:
    return None, synthetic.picture(seed, label, index, height, width)


def _downloaded(data: Data, file: IO[bytes]) -> Source:
    where, digest = public(data.source), data.sha256
    if digest is None:
        raise UsageError(f"{where} needs its sha256", hint="give --data-sha256 or data.sha256")
    with progress("downloading", None) as advance:
        download(data.source, digest, file, advance)
    return _archived("url", where, digest, file)


def _archived(kind: Kind, name: str, digest: str, file: IO[bytes]) -> Source:
    archive = open_archive(file, name)
    layout = arrange(archive.entries, name)

    def members() -> Iterator[Member]:
        for path, read in archive.open_members():
            if path in layout.labels:
                yield Member(shown(path), layout.labels[path], partial(_decode_file, read))

    # Counted as they come, because an archive may hold a path twice.
    count = sum(not entry.is_folder and entry.path in layout.labels for entry in archive.entries)
    return Source(kind, name, layout.classes, count, digest, members)


def _folder(root: Path, name: str) -> Source:
    layout: Layout = arrange(_walk(root), name)

    def members() -> Iterator[Member]:
        for path, label in layout.labels.items():
            yield Member(shown(path), label, partial(_decode_file, partial(_read, root, path)))

    return Source("folder", name, layout.classes, len(layout.labels), None, members)


def _walk(root: Path) -> Sequence[Entry]:
    entries: list[Entry] = []
    for folder, folders, files in os.walk(root, onerror=_unreadable):
        here = Path(folder).relative_to(root)
        for child in folders:
            if (Path(folder) / child).is_symlink() and not child.startswith("."):
                text = f"{(here / child).as_posix()!r} in {root} is a link to a folder"
                raise UsageError(text, hint="links are not followed: move or copy the folder there")
        entries += [Entry((here / child).as_posix(), True) for child in folders]
        entries += [Entry((here / child).as_posix()) for child in files]
        if len(entries) > LIMITS.entries:
            raise UsageError(f"{root} has more than {LIMITS.entries} files", hint="name the folder of the images")
    return entries


def _unreadable(error: OSError) -> None:
    text = f"{error.filename}: {error.strerror}"
    raise UsageError(text, hint="make the folder readable, or leave it out")


def _read(root: Path, path: str) -> bytes:
    try:
        # Looked at once it is open: what a path names may change between a look and a reading. A pipe would block.
        with open(root / path, "rb", opener=_opener) as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UnusableFileError("not a regular file")
            if not Path(f"/proc/self/fd/{stream.fileno()}").readlink().is_relative_to(root.resolve()):
                raise UnusableFileError("a link that leaves the folder")
            content = stream.read(LIMITS.entry_bytes + 1)
        if len(content) > LIMITS.entry_bytes:
            raise UnusableFileError(f"larger than the {LIMITS.entry_bytes} bytes allowed")
        return content
    except OSError as error:
        raise UnusableFileError(f"cannot be read: {error.strerror}") from None


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _decode_file(read: Reader, height: int, width: int) -> tuple[bytes, Pixels]:
    data = read()
    return data, decode(data, height, width)
