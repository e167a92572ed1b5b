"""The report as a document: sections of paragraphs, tables, pictures and commands.

Everything in it is formatted and nothing is escaped; the templates only lay it out.
"""

import base64
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from common.numbers import ABSENT

Tone = Literal["plain", "better", "worse", "problem"]


@dataclass(frozen=True)
class Cell:
    """A formatted value; `note` is a smaller second line. The tone never says more than the text. A sortable column is
    sorted by `key`, by the text where it is None."""

    text: str
    note: str = ""
    tone: Tone = "plain"
    key: float | None = None


@dataclass(frozen=True)
class Column:
    """A column, under a common heading `group` where several belong together. `wide`: only shown where there is room;
    a narrow page has it in the row's own part."""

    label: str
    group: str = ""
    numeric: bool = True
    wide: bool = False

    @property
    def title(self) -> str:
        """The heading where there is only one line for it."""
        return f"{self.group}: {self.label}" if self.group else self.label


@dataclass(frozen=True)
class Head:
    """A heading that spans some rows and columns."""

    label: str
    rows: int = 1
    columns: int = 1
    numeric: bool = False

    @property
    def scope(self) -> str:
        """What it is the heading of, in HTML's words."""
        return "col" if self.columns == 1 else "colgroup"


@dataclass(frozen=True)
class Row:
    """A row with its heading."""

    header: str
    cells: tuple[Cell, ...]
    # The anchor of the section with everything about it; empty where there is none.
    opens: str = ""


@dataclass(frozen=True)
class Table:
    """`columns` are those beside the row headings; every row has a cell for each."""

    caption: str
    corner: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    folded: bool = False
    # The key of the setting that it is of (`names.Grid.key`); empty for all.
    setting: str = ""
    sortable: bool = False
    kind: Literal["table"] = "table"

    @property
    def heads(self) -> tuple[tuple[Head, ...], ...]:
        """The lines of headings: one, or two where columns have a common heading."""
        if not any(column.group for column in self.columns):
            return ((Head(self.corner), *(_head(column) for column in self.columns)),)
        upper, lower = [Head(self.corner, rows=2)], list[Head]()
        for group, members in groupby(self.columns, lambda column: column.group):
            labels = tuple(_head(column) for column in members)
            if group:
                upper.append(Head(group, columns=len(labels)))
                lower += labels
            else:
                upper += (replace(label, rows=2) for label in labels)
        return tuple(upper), tuple(lower)


@dataclass(frozen=True)
class File:
    """A file of the report's folder."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Picture:
    """`files` are written beside the Markdown, which shows the first; HTML shows the panels side by
    side where there is room."""

    alt: str
    caption: str
    files: tuple[File, ...]
    panels: tuple[File, ...]
    kind: Literal["picture"] = "picture"

    @property
    def panel_uris(self) -> tuple[str, ...]:
        """The panels as data: URIs."""
        return tuple(data_uri(panel) for panel in self.panels)


@dataclass(frozen=True)
class Chart:
    """A drawn figure: `svg` is one <svg> element, or one for wide pages and one for narrow ones behind it, without
    colours of their own, only the classes of theme.css; nothing in it needs escaping any more. `alt` says the finding.
    `name` is the file's beside the Markdown, without ending.

    `view` tells charts apart of which the page shows one at a time (by latency, download, memory); empty for others.
    """

    name: str
    alt: str
    caption: str
    svg: str
    setting: str = ""
    view: str = ""
    kind: Literal["chart"] = "chart"


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
    """The decision: what to ship, why it may be believed, and what is wrong. `chip` is one word with its tone."""

    name: str
    file: str
    sha256: str
    chip: tuple[str, Tone]
    reason: str
    tiles: tuple[Tile, ...]
    sentences: tuple[str, ...]
    problems: tuple[str, ...] = ()
    kind: Literal["card"] = "card"


@dataclass(frozen=True)
class Chip:
    """A setting to choose: its winner, and the shares of the time that ran in the delegate and outside, in words."""

    key: str
    label: str
    winner: str
    note: str = ""
    delegated: float | None = None


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


Block = Table | Picture | Chart | Card | Chips | Commands


@dataclass(frozen=True)
class Section:
    """A chapter of the report; a `folded` one is closed until a reader opens it."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...]
    blocks: tuple[Block, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Document:
    """The whole report. `missing` says what was not measured or left out."""

    title: str
    source: str
    summary: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The charts that are written as files."""
        blocks = [block for section in self.sections for block in section.blocks]
        return tuple(block for block in blocks if isinstance(block, Chart) and block.name in CHART_FILES)

    @property
    def files(self) -> tuple[File, ...]:
        """All pictures as files."""
        blocks = [block for section in self.sections for block in section.blocks]
        return tuple(file for block in blocks if isinstance(block, Picture) for file in block.files)


def _head(column: Column) -> Head:
    return Head(column.label, numeric=column.numeric)


# The charts that are written as files: those of the setting that decides.
CHART_FILES = (
    "tradeoff",
    "forest",
    "trace",
    "strip",
    "won-lost",
    "recalls",
    "confusion",
    "operators",
    "beside",
    "training",
    "sustained",
)
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg"}


def data_uri(file: File) -> str:
    """The file's content as a URI, by the ending of its name."""
    return f"data:{MEDIA_TYPES[file.name.rpartition('.')[2]]};base64,{base64.b64encode(file.content).decode()}"


def number(text: str | None) -> Cell:
    """A cell, with a dash where there is no figure."""
    return Cell(ABSENT if text is None else text)


def facts(caption: str, corner: str, label: str, pairs: tuple[tuple[str, str], ...]) -> Table:
    """A table of names and values."""
    column = Column(label, numeric=False)
    return Table(caption, corner, (column,), tuple(Row(name, (Cell(value),)) for name, value in pairs))
