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
    """A formatted value; `note` is a smaller second line. The tone never says more than the text."""

    text: str
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Column:
    """A column, under a common heading `group` where several belong together."""

    label: str
    group: str = ""
    numeric: bool = True

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


@dataclass(frozen=True)
class Table:
    """`columns` are those beside the row headings; every row has a cell for each."""

    caption: str
    corner: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    folded: bool = False
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
class Commands:
    """Lines for a shell."""

    lines: tuple[str, ...]
    kind: Literal["commands"] = "commands"


@dataclass(frozen=True)
class Section:
    """A chapter of the report."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...]
    blocks: tuple[Table | Picture | Commands, ...] = ()


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
    def files(self) -> tuple[File, ...]:
        """All pictures as files."""
        blocks = [block for section in self.sections for block in section.blocks]
        return tuple(file for block in blocks if isinstance(block, Picture) for file in block.files)


def _head(column: Column) -> Head:
    return Head(column.label, numeric=column.numeric)


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
