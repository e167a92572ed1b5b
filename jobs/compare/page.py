"""`compare.md`: a comparison for a repository or a pull request. Pure; whatever is from outside is escaped here."""

from collections.abc import Iterable, Iterator, Sequence

from common import comparison_words as words
from common.markdown import escape, table
from common.run import directions
from common.schema.comparison import CellChange, Comparison


def markdown(comparison: Comparison) -> bytes:
    """What differs in the set-up first, then what changed, then the rest, folded."""
    return "".join(f"{line}\n" for line in _lines(comparison)).encode()


def _lines(comparison: Comparison) -> Iterator[str]:
    verdict, counts = words.verdict(comparison)
    yield from ("# Comparison", "", f"**{escape(verdict)}** {escape(counts)}", "")
    yield f"- Base: {escape(words.about(comparison.base))}"
    yield f"- Head: {escape(words.about(comparison.head))}"
    yield f"- {escape(words.method(comparison))}"
    yield from _section("What else differs", map(words.differs, comparison.setup), "Nothing that was told.")
    if not comparison.interleaved:
        yield from _section("Between sessions", map(words.spread, comparison.spreads), "")
    cells = directions.cells(comparison)
    same = [change for change in cells if directions.of_cell(change) in ("same", "unsure")]
    yield from ("", "## Files", "", *_table(words.FILE_HEADS, map(words.file, directions.variants(comparison))))
    changed = [change for change in cells if change not in same]
    yield from ("", "## Changed", "", *(_cells(changed) if changed else ("Nothing is shown to have changed.",)))
    if same:
        yield from ("", f"<details><summary>{len(same)} other rows</summary>", "", *_cells(same), "", "</details>")
    yield from _section("Not compared", (*words.reasons(comparison), *words.alone(comparison)), "")


def _cells(cells: Sequence[CellChange]) -> list[str]:
    return _table(words.HEADS, map(words.cell, cells))


def _section(title: str, items: Iterable[str], none: str) -> Iterator[str]:
    told = [f"- {escape(item)}" for item in items]
    if told or none:
        yield from ("", f"## {title}", "", *(told or [none]))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return table(head, ([escape(cell) for cell in row] for row in rows))
