"""Artifacts on disk: read validated, written atomically, the JSON last, one writer per folder."""

import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from common.errors import TryLaterError, UsageError
from common.problems import first_problem
from common.schema.base import FileRef

M = TypeVar("M", bound=BaseModel)
MEND = "delete it and run make again, or point to the right file"
OWN_ONLY = "remove it: a stage writes into its own folder only"
# The largest variant.json of the benchmarks has a hundredth of it; parsed, it takes some ten times its size.
MOST_JSON_BYTES = 32 << 20
# Where a flatbuffer ends; an array of images may be larger.
MOST_FILE_BYTES = 2 << 30
# A document beyond it is not parsed again only to word what is wrong.
WORDED_BYTES = 1 << 20


def sha256_file(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_ref(path: Path, folder: Path) -> FileRef:
    """Describe `path`, which lies in `folder`."""
    name = path.relative_to(folder).as_posix()
    return FileRef(path=name, sha256=sha256_file(path), size_bytes=path.stat().st_size)


def open_plain(path: Path, flags: int = 0) -> IO[bytes]:
    """Open a file to read it, whoever made it. Raises UsageError for a pipe or a device, which would never end; with
    the flag `os.O_NOFOLLOW` for a link too."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise UsageError(f"{path} is a link, or no plain file", hint=MEND) from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UsageError(f"{path} is no plain file", hint=MEND)
    return os.fdopen(handle, "rb")


def content(path: Path, most_bytes: int = MOST_JSON_BYTES, *, hint: str = "") -> bytes:
    """All of a file that may be somebody else's. Raises UsageError when it cannot be read or is larger, with a hint of
    its own for what no stage has written."""
    try:
        with open_plain(path) as stream:
            found = stream.read(most_bytes + 1)
    except UsageError as error:
        raise UsageError(error.message, hint=hint or MEND) from None
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", hint=hint or "run the stage that writes it first") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}", hint=hint or MEND) from None
    if len(found) > most_bytes:
        raise UsageError(f"{path} has more than the {most_bytes >> 20} MiB allowed", hint=hint or MEND)
    return found


def read(path: Path, model: type[M]) -> M:
    """Read a stage's JSON. Raises UsageError when it is missing, damaged or of another schema."""
    return read_hashed(path, model)[0]


def read_hashed(path: Path, model: type[M], *, hint: str = "") -> tuple[M, str]:
    """The same with the sha256 of the very bytes that were read."""
    found = content(path, hint=hint)
    try:
        text = found.decode()
        return model.model_validate_json(text), hashlib.sha256(found).hexdigest()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} cannot be read: {error}", hint=MEND) from None
    except ValidationError as error:
        problem = first_problem(error, _document(text))
        raise UsageError(f"{path} is not a valid {model.__name__}: {problem}", hint=MEND) from None


def _document(text: str) -> object:
    try:
        return json.loads(text) if len(text) <= WORDED_BYTES else None
    except (ValueError, RecursionError):
        return None


def verified(folder: Path, ref: FileRef, most_bytes: int = MOST_FILE_BYTES) -> Path:
    """Path of a referenced file after checking that its content is still what the artifact says.

    Raises UsageError when it is not, beyond the bound, and for a file that lies elsewhere: links out of the folder
    are not followed.
    """
    path = folder / ref.path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{path} leads out of {folder}", hint="put the file itself there, not a link")
    if not path.is_file():
        raise UsageError(f"{path} is missing", hint="delete its folder and run make again")
    size = path.stat().st_size
    if size > most_bytes:
        raise UsageError(f"{path} has more than the {most_bytes >> 20} MiB allowed", hint=MEND)
    # The size first: a file of nothing but holes takes an hour to hash.
    if size != ref.size_bytes or sha256_file(path) != ref.sha256:
        raise UsageError(f"{path} was changed after its stage wrote it", hint="delete its folder and run make again")
    return path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it onto `path` on success, remove it otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def no_link(folder: Path, hint: str) -> Path:
    """A folder that may be somebody else's. Raises UsageError for a link, which would lead what is written anywhere."""
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link", hint=hint)
    return folder


def own_folder(path: Path) -> None:
    """Make a folder inside a stage's own one. Raises UsageError for a link, which would lead the stage elsewhere."""
    no_link(path, OWN_ONLY).mkdir(exist_ok=True)


def own_file(path: Path, flags: int = 0) -> IO[bytes]:
    """Open a file of a stage's own folder to change it, and make it where there is none; `flags` are added to
    those of `os.open`. Raises UsageError for what is no plain file or has another name elsewhere: writing would
    change what lies there."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags, 0o644)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
            raise UsageError(f"{path} is a link, or no plain file", hint=OWN_ONLY) from None
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(handle)
        raise UsageError(f"{path} is a link, or no plain file", hint=OWN_ONLY)
    return os.fdopen(handle, "ab" if flags & os.O_APPEND else "r+b")


def new_text(path: Path) -> IO[str]:
    """A new file in place of an old one or of a link, to write text as it comes and to read it again."""
    path.unlink(missing_ok=True)
    return path.open("x+", encoding="utf-8", errors="replace")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file or nothing."""
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def write_model(path: Path, model: BaseModel) -> None:
    """Write a model as indented JSON, a whole file or nothing."""
    write_bytes(path, as_json(model))


def as_json(model: BaseModel) -> bytes:
    """A model as an artifact's file holds it."""
    return indented(model.model_dump(mode="json", by_alias=True))


def indented(document: object) -> bytes:
    """What JSON can hold, for people to read too."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def require_apart(output: Path, *inputs: Path) -> None:
    """Raise UsageError when a folder that is read is, holds or lies in the one that is written."""
    there = output.resolve()
    for folder in inputs:
        here = folder.resolve()
        if there.is_relative_to(here) or here.is_relative_to(there):
            relation = "is also" if here == there else "lies in" if there.is_relative_to(here) else "holds"
            raise UsageError(f"output {output} {relation} the input {folder}", hint="choose another --output")


@contextmanager
def writing(folder: Path, name: str, *inputs: Path) -> Iterator[None]:
    """Hold `folder` for one writer and take away the old JSON `name`, so that a killed job leaves
    no JSON that speaks of other files. Call it after the inputs, which lie in folders of their own,
    were checked."""
    require_apart(folder, *inputs)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder", hint="choose another --output")
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder):
        (folder / name).unlink(missing_ok=True)
        for leftover in folder.glob(".*.partial"):
            leftover.unlink()
        yield


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a folder, which is there, for one writer. Raises TryLaterError while another one does."""
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TryLaterError(f"another job is writing {folder}", hint="wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()
