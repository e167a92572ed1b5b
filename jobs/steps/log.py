"""The log of a step, in the run's folder: everything that it printed."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

FOLDER = "logs"
# A step that prints more than this is in a loop.
MOST_BYTES = 64 << 20


class Log:
    """Takes lines until the disk, or the bound, says no: a step does not fail for its log. `path` is None for one that
    could not be opened."""

    def __init__(self, stream: IO[bytes] | None, path: Path | None) -> None:
        self.path = path
        self._stream = stream
        self._written = 0

    def write(self, line: bytes) -> None:
        """A line as the step printed it."""
        if self._stream is None or self._written > MOST_BYTES:
            return
        self._written += len(line)
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError:
            self._stream = None


@contextlib.contextmanager
def logging(run: Path, name: str, command: Sequence[str]) -> Iterator[Log]:
    """A new log in place of the last one. Without one where it cannot be written: whoever made the run's folder may
    have put a link there, which is not followed."""
    try:
        stream = _open(run, name)
    except OSError:
        yield Log(None, None)
        return
    with stream:
        log = Log(stream, run / FOLDER / f"{name}.log")
        log.write(f"+ {' '.join(command)}\n".encode(errors="replace"))
        yield log


def _open(run: Path, name: str) -> IO[bytes]:
    run.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (run / FOLDER).mkdir()
    folder = os.open(run / FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        file = f"{name}.log"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(file, flags, 0o644, dir_fd=folder), "wb")
    finally:
        os.close(folder)
