"""The report as a document: sections of paragraphs, tables, pictures and commands.

Everything in it is formatted and nothing is escaped; the templates only lay it out.
"""

import base64
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from common.numbers import ABSENT
from jobs.report.blocks import Card, Chips, Commands, Gallery, Link, Notes, Prose, Tone


@dataclass(frozen=True)
class Cell:
    """A formatted value; `note` is a smaller second line. The tone never says more than the text. A sortable column is
    sorted by `key`, by the text where it is None."""

    text: str
    note: str = ""
    tone: Tone = "plain"
    key: float | None = None

    @property
    def order(self) -> str:
        """The key with the digits that tell figures apart."""
        return "" if self.key is None else f"{self.key:.7g}"


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
    wide: bool = False

    @property
    def classes(self) -> str:
        """How it is laid out, in the style's words."""
        return " ".join(word for word, holds in (("number", self.numeric), ("wide", self.wide)) if holds)

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

    @property
    def file(self) -> str:
        """Its name beside the Markdown, if it is written there."""
        return f"{self.name}.svg"


Plain = Table | Picture | Chart | Card | Chips | Commands | Link | Prose | Notes | Gallery


@dataclass(frozen=True)
class Fold:
    """A part that is closed until a reader opens it. The row of a table that `opens` it shows it in its place."""

    anchor: str
    title: str
    blocks: tuple[Plain, ...]
    kind: Literal["fold"] = "fold"


Block = Plain | Fold


@dataclass(frozen=True)
class Section:
    """A chapter of the report; a `folded` one is closed until a reader opens it. Two `half` ones in a row stand beside
    each other where there is room."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    folded: bool = False
    half: bool = False


@dataclass(frozen=True)
class Document:
    """The whole report. `shown` is the key of the setting that is shown first; `files` stand beside the Markdown."""

    title: str
    source: str
    sections: tuple[Section, ...]
    shown: str = ""
    files: tuple[File, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files."""
        return tuple(file.name for file in self.files)


def _head(column: Column) -> Head:
    return Head(column.label, numeric=column.numeric, wide=column.wide)


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


def drawn(*charts: Chart | None) -> tuple[Chart, ...]:
    """Those charts for which there was something to draw."""
    return tuple(chart for chart in charts if chart is not None)


def number(text: str | None) -> Cell:
    """A cell, with a dash where there is no figure."""
    return Cell(ABSENT if text is None else text)


def facts(caption: str, corner: str, label: str, pairs: tuple[tuple[str, str], ...]) -> Table:
    """A table of names and values."""
    column = Column(label, numeric=False)
    return Table(caption, corner, (column,), tuple(Row(name, (Cell(value),)) for name, value in pairs))
