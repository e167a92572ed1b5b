"""Text from outside in Markdown, so that it is shown and never does anything. Pure."""

import re
from collections.abc import Iterable, Sequence

from common.printable import clean

# Whatever can begin something in Markdown or in the HTML that Markdown lets through.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#$&!])")
# Begins a list, a heading or a rule where it stands first.
LEADING = re.compile(r"^(\d+(?=[.)](?:\s|$)))?([-+=.)])")
BACKTICKS = re.compile(r"`+")


def escape(text: str) -> str:
    """Text on one line that Markdown shows as it is, in a paragraph, a list or a cell of a table."""
    escaped = SPECIAL.sub(r"\\\1", clean(text))
    # An address would become a link.
    escaped = escaped.replace("://", "\\://").replace("www.", "www\\.")
    return LEADING.sub(lambda found: f"{found[1] or ''}\\{found[2]}", escaped)


def code(text: str) -> str:
    """Text on one line as code, also in a cell of a table."""
    return f"`{clean(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table whose cells are Markdown already."""
    return [row(head), f"|{' --- |' * len(head)}", *map(row, rows)]


def row(cells: Iterable[str]) -> str:
    """A line of a table whose cells are Markdown already."""
    return f"| {' | '.join(cells)} |"


def fenced(lines: Iterable[str], language: str) -> str:
    """A code block of `language`, its fence longer than any in its lines."""
    body = "\n".join(lines)
    longest = max((len(run) for run in BACKTICKS.findall(body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"
