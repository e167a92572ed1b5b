"""A comparison in a terminal: what differs in the set-up first, changed rows before the others."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common import comparison_words as words
from common.errors import NotComparableError
from common.numbers import clipped
from common.printable import clean, tell
from common.run import directions
from common.schema.budget import Check
from common.schema.comparison import Comparison
from jobs.compare import check_words
from jobs.compare.told import annotations

WIDTH, CELL = 100, 30
# Columns of the terminal's tables; Markdown has all of them.
CELL_COLUMNS, FILE_COLUMNS = 4, 5
# Rows that did not change and are still shown.
MOST_SAME = 20


def show(comparison: Comparison, folder: Path) -> None:
    """Print the comparison that was written to `folder`.

    Raises NotComparableError where both runs were measured and no latency of them may be compared.
    """
    tell(f"base: {words.about(comparison.base)}")
    tell(f"head: {words.about(comparison.head)}")
    for change in comparison.setup:
        tell(f"differs: {words.differs(change)}")
    tell(words.method(comparison))
    for spread in () if comparison.interleaved else comparison.spreads:
        tell(f"spread: {words.spread(spread)}")
    console = Console(width=WIDTH, highlight=False)
    console.print(_table(words.FILE_HEADS[:FILE_COLUMNS], map(words.file, directions.variants(comparison))))
    cells = directions.cells(comparison)
    same = [change for change in cells if directions.of_cell(change) in ("same", "unsure")]
    shown = [change for change in cells if change not in same] + same[:MOST_SAME]
    if shown:
        console.print(_table(words.HEADS[:CELL_COLUMNS], (words.cell(change)[:CELL_COLUMNS] for change in shown)))
    if len(same) > MOST_SAME:
        tell(f"and {len(same) - MOST_SAME} more rows without a change that is shown")
    for text in (*words.reasons(comparison), *words.alone(comparison)):
        tell(f"not compared: {text}")
    tell(" ".join(words.verdict(comparison)))
    tell(f"comparison: {folder / 'compare.md'}")
    _require_comparable(comparison)


def _require_comparable(comparison: Comparison) -> None:
    """Raise NotComparableError where both runs were measured and no latency of them may be compared."""
    refusing = [change for change in comparison.setup if change.refuses]
    refused = {change.target for change in refusing}
    if comparison.cells and all(change.setting.target in refused for change in comparison.cells):
        first = refusing[0]
        text = (
            f"latencies are not compared: {first.what} of {first.target} is {first.base} in the base and {first.head}"
        )
        raise NotComparableError(f"{text} in the head", hint="measure both on one machine, or with RERUN=1")


def show_check(check: Check, folder: Path) -> int:
    """Print what is broken or cannot be said, and the verdict; in a job of GitHub also for its page. Gives the exit
    status."""
    for each in check.checked:
        if each.status != "kept":
            tell(f"{each.status}: {check_words.checked(each)}")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(check):
            tell(line)
    tell(f"check: {folder / 'summary.md'}")
    tell(check_words.status(check))
    return check.exit_code


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE)
    for place, head in enumerate(heads):
        table.add_column(head, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(Text(clipped(clean(cell), CELL if place == 0 else WIDTH)) for place, cell in enumerate(row)))
    return table
