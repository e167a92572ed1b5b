"""Which program opens a page here, and how it is started."""

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# One that fails does so at once; one that goes on for so long is open.
WAIT_S = 3.0
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")

Which = Callable[[str], str | None]


def browser(environment: Mapping[str, str], platform: str, which: Which, report: Path) -> tuple[str, ...] | None:
    """The command that opens a file: the first of BROWSER that is installed, else the desktop's own; None where there
    is neither, or no display. Pure but for `which`."""
    for wish in environment.get("BROWSER", "").split(os.pathsep):
        command = _wished(wish, report.as_uri())
        if command and which(command[0]):
            return command
    if platform == "darwin":
        return ("open", str(report))
    # Of Windows' Linux, whose browser is Windows' and needs no display here.
    if which("wslview"):
        return ("wslview", str(report))
    if any(environment.get(name) for name in DISPLAYS) and which("xdg-open"):
        return ("xdg-open", str(report))
    return None


def _wished(wish: str, url: str) -> tuple[str, ...]:
    """An entry of BROWSER: a command, in which %s stands for the address; else it comes last."""
    try:
        words = shlex.split(wish)
    except ValueError:
        return ()
    if not words:
        return ()
    return tuple(word.replace("%s", url) for word in words) if "%s" in wish else (*words, url)


def start(command: Sequence[str]) -> bool:
    """Start a program and leave it; whether it did not fail at once."""
    try:
        started = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return started.wait(timeout=WAIT_S) == 0
    except subprocess.TimeoutExpired:
        return True
    except OSError:
        return False
