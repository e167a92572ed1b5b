"""The open files of a command."""

from collections.abc import Callable
from dataclasses import dataclass

Writer = Callable[[bytes], None]
Reader = Callable[[], bytes]


@dataclass(frozen=True)
class Files:
    """The three open files of a command."""

    stdin: Reader
    out: Writer
    err: Writer


def once(data: bytes) -> Reader:
    """A file that gives its content once and then ends."""
    left = [data]

    def read() -> bytes:
        taken, left[0] = left[0], b""
        return taken

    return read


def nowhere(_: bytes) -> None:
    """/dev/null."""
