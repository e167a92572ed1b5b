"""Read a report back: the tables of HTML and of Markdown as rows of text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass
class ReadTable:
    """A table: its caption, headings and rows, every spanned cell repeated."""

    caption: str = ""
    head: list[list[str]] = field(default_factory=list)
    body: list[list[str]] = field(default_factory=list)

    def row(self, name: str) -> list[str]:
        """The cells beside the row heading `name`."""
        return next(cells[1:] for cells in self.body if cells[0] == name)


class Page(HTMLParser):
    """Tables, texts, tags and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[ReadTable] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._open: list[str] = []
        self._row: list[str] | None = None
        self._spans: list[int] = []
        self.feed(html)
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in VOID:
            return
        self._open.append(tag)
        given = dict(attrs)
        if tag == "table":
            self.tables.append(ReadTable(given.get("aria-label") or ""))
        elif tag == "tr":
            self._row, self._spans = [], []
        elif tag in {"td", "th"} and self._row is not None:
            self._row.append("")
            self._spans.append(int(given.get("colspan") or 1))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open.pop() == tag
        if tag == "tr" and self._row is not None:
            spans = zip(self._row, self._spans, strict=True)
            wide = [text.strip() for text, columns in spans for _ in range(columns)]
            (self.tables[-1].head if "thead" in self._open else self.tables[-1].body).append(wide)
            self._row = None

    def handle_data(self, data: str) -> None:
        if {"style", "script", "svg"} & set(self._open):
            return
        self.text.append(data)
        if "caption" in self._open:
            self.tables[-1].caption += data.strip()
        elif self._row is not None and self._row:
            self._row[-1] += f" {data}" if "small" in self._open else data

    @property
    def all_text(self) -> str:
        """Everything that it says, in one line."""
        return " ".join(" ".join(self.text).split())

    def table(self, caption: str) -> ReadTable:
        """The table under a caption."""
        return next(table for table in self.tables if table.caption == caption)


def markdown_page(text: str) -> Page:
    """The page that a Markdown reader makes of it."""
    return Page(MarkdownIt("commonmark").enable("table").render(text))
