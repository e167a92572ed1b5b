"""Blocks of the report that are no tables and no pictures: the decision, the settings, texts, small images.

Everything in them is formatted and nothing is escaped; the templates only lay it out.
"""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "better", "worse", "problem"]


@dataclass(frozen=True)
class Tile:
    """One figure of the decision card, beside the reference's."""

    label: str
    value: str
    note: str = ""
    beside: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Card:
    """The decision: what to ship, why it may be believed, and what is wrong.

    `lead` is what the name is: the recommended file, or that there is none. `chip` is one word with its tone, empty
    where nobody said how sure it is. `points` are names and sentences. `file` and `sha256` are empty without a file.
    """

    lead: str
    name: str
    reason: str
    file: str = ""
    sha256: str = ""
    chip: tuple[str, Tone] = ("", "plain")
    tiles: tuple[Tile, ...] = ()
    points: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    kind: Literal["card"] = "card"


@dataclass(frozen=True)
class Chip:
    """A setting to choose: its winner, and the share of the operators' time that ran in the delegate."""

    key: str
    label: str
    winner: str
    note: str = ""
    delegated: float | None = None

    @property
    def bar(self) -> str:
        """The share as a width out of 100."""
        return f"{100 * min(1.0, max(0.0, self.delegated or 0.0)):.1f}"


@dataclass(frozen=True)
class Chips:
    """Every setting; choosing one filters the page."""

    label: str
    chips: tuple[Chip, ...]
    kind: Literal["chips"] = "chips"


@dataclass(frozen=True)
class Commands:
    """Lines for a shell."""

    lines: tuple[str, ...]
    kind: Literal["commands"] = "commands"


@dataclass(frozen=True)
class Link:
    """A way to another page of the run; `target` is its path beside this one, and never from outside."""

    text: str
    target: str
    kind: Literal["link"] = "link"


@dataclass(frozen=True)
class Prose:
    """A paragraph that is of one setting, or belongs between other blocks."""

    text: str
    setting: str = ""
    kind: Literal["prose"] = "prose"


@dataclass(frozen=True)
class Notes:
    """Sentences under a heading of their own."""

    title: str
    items: tuple[str, ...]
    tone: Tone = "plain"
    kind: Literal["notes"] = "notes"


@dataclass(frozen=True)
class Shot:
    """An image with what is to be said of it. `uri` is a data: URI, empty where there is no picture."""

    uri: str
    name: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Gallery:
    """Small images beside each other."""

    caption: str
    shots: tuple[Shot, ...]
    folded: bool = False
    kind: Literal["gallery"] = "gallery"
