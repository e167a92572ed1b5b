"""A summary for a pull request or a job's page: Markdown of at most 40 lines and 8 kB, whatever it is of. Pure.

The verdict stands first, then what it rests on, then everything, folded. What there is no room for is counted. The
first line is a comment that nobody sees, by which whoever posts it again finds the one to replace.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.markdown import escape, row, table
from common.numbers import clipped, count

MOST_LINES, MOST_BYTES = 40, 8000
# Bytes of what is shown of one text, escaped; of a note, and of the sentence at the begin.
CELL, NOTE, SENTENCE = 80, 250, 700
MOST_NOTES, MOST_COLUMNS = 4, 16
# Rows and bytes of what decides; the rest stands in the folded table.
MOST_DECIDING, DECIDING_BYTES = 8, 2000
# The line that counts what is left out, and the end of the fold.
END_LINES, END_BYTES = 3, 100


@dataclass(frozen=True)
class Table:
    """Texts as they are, not escaped yet."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Summary:
    """What is told. `marker` says what it is of and holds names alone; `verdict` is a bold word or two, `reason` the
    sentence behind it; `deciding` are the rows that it rests on, `everything` all of them under `title`."""

    marker: str
    verdict: str
    reason: str
    deciding: Table
    notes: tuple[str, ...]
    title: str
    everything: Table


def markdown(summary: Summary) -> bytes:
    """The summary within its bounds."""
    verdict = f"**{_shown(summary.verdict, NOTE)}** {_shown(summary.reason, SENTENCE)}".rstrip()
    lines = [f"<!-- edgeproof {summary.marker} -->", verdict, ""]
    if summary.deciding.rows:
        lines += [*_table(summary.deciding, MOST_DECIDING, DECIDING_BYTES), ""]
    notes = [f"- {_shown(note, NOTE)}" for note in summary.notes[:MOST_NOTES]]
    left = len(summary.notes) - len(notes)
    lines += [*notes, *([f"- and {left} more"] if left else []), *([""] if notes else [])]
    if summary.everything.rows:
        begin = [f"<details><summary>{_shown(summary.title, NOTE)}</summary>", ""]
        # Two more lines are the table's head.
        rows = MOST_LINES - END_LINES - len(lines) - len(begin) - 2
        room = MOST_BYTES - END_BYTES - _size((*lines, *begin))
        lines += [*begin, *_table(summary.everything, rows, room), "", "</details>"]
    return "".join(f"{line}\n" for line in lines).encode()


def _table(made: Table, most_rows: int, most_bytes: int) -> list[str]:
    """As many rows and columns as there is room for, and a row that counts those that are left out."""
    head = made.head[:MOST_COLUMNS]
    lines = table(_cells(head), ())
    for cells in made.rows[:most_rows]:
        line = row(_cells(cells[:MOST_COLUMNS]))
        if _size((*lines, line)) > most_bytes:
            break
        lines.append(line)
    left = len(made.rows) - len(lines) + 2
    told = [count(left, "more row")] if left else []
    told += [count(more, "more column")] if (more := len(made.head) - len(head)) else []
    return [*lines, f"| and {' and '.join(told)} |"] if told else lines


def _cells(cells: Sequence[str]) -> list[str]:
    return [_shown(cell, CELL) for cell in cells]


def _shown(text: str, most_bytes: int) -> str:
    """The text escaped, cut so that it has at most so many bytes."""
    length = min(len(text), most_bytes)
    while len((shown := escape(clipped(text, length))).encode()) > most_bytes:
        length = length * 9 // 10
    return shown


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
