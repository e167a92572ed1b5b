"""The files that are served: found by exact names, opened without following a link."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

REPORT = ("report.html", "report.md", "summary.md", "results.csv", "results.json")
# The charts, whose number and names follow from what was measured, and the contact sheet.
PICTURE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\.(?:svg|png|jpg)")
BEST = ("choice.json", "model_card.md")
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.tflite")
# A run's folder, one of its two folders, a file.
DEPTH = 3
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_known(folder: str, name: str) -> bool:
    """Whether a file of a run's folder is one that is served."""
    if folder == "report":
        return name in REPORT or PICTURE.fullmatch(name) is not None
    return folder == "best" and (name in BEST or MODEL.fullmatch(name) is not None)


def names(runs: Path) -> list[str]:
    """The folders below `runs` that a run was written to. None where `runs` is not there; links are left out."""
    try:
        with os.scandir(runs) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(name for name in found if any(_is_folder(runs / name / part) for part in ("plan", "report")))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


@contextlib.contextmanager
def opened(runs: Path, run: str, folder: str, name: str) -> Iterator[IO[bytes]]:
    """A file of a run. Raises OSError for what is not there, is no plain file, or lies behind a link; names must be
    plain ones."""
    if not is_known(folder, name) or run in ("", ".", "..") or "/" in run or "\0" in run:
        raise FileNotFoundError(name)
    with contextlib.ExitStack() as stack:
        here = _folder(stack, str(runs), None)
        for part in (run, folder):
            here = _folder(stack, part, here)
        handle = os.open(name, FILE, dir_fd=here)
        stream = stack.enter_context(os.fdopen(handle, "rb"))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(name)
        yield stream


def _folder(stack: contextlib.ExitStack, name: str, above: int | None) -> int:
    # The folder of the runs is the user's own choice, and may be a link.
    flags = FOLDER if above is not None else FOLDER & ~os.O_NOFOLLOW
    handle = os.open(name, flags, dir_fd=above)
    stack.callback(os.close, handle)
    return handle
