"""Names for other tools, made of what devices and files call themselves. Pure."""

import re
from collections.abc import Iterable

from common.numbers import clipped
from common.printable import clean
from common.schema.benchmark import RUNNERS, Runner

# Plain in a path, in a metric's name and in a web address.
OTHER = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST = 60


def plain(text: str) -> str:
    """Letters, digits and `_.-`, at most LONGEST of them, never empty nor beginning with a dot."""
    return OTHER.sub("-", text)[:LONGEST].strip("-.") or "unnamed"


def short(name: str) -> str:
    """A device calls itself what it likes, and other tools print it, or refuse it where it is long."""
    return clipped(clean(name), LONGEST)


def backend(name: str, runner: Runner) -> str:
    """A backend and the program that measured on it."""
    return short(name) + RUNNERS[runner].replace(" ", "_")


def distinct(names: Iterable[str]) -> list[str]:
    """The names in their order, each another: what is there already gets a number behind it."""
    kept: dict[str, None] = {}
    for name in names:
        number, tried = 1, name
        while tried in kept:
            number += 1
            tried = f"{name}-{number}"
        kept[tried] = None
    return list(kept)
