"""What changed beside another run, where the report is of a comparison. Pure; nothing is decided here."""

from collections.abc import Iterator

from common import comparison_words as words
from common.run import directions
from common.schema.comparison import Comparison, Direction
from jobs.report.blocks import Notes, Tone
from jobs.report.document import Block, Cell, Column, Row, Section, Table

# Differences of the set-up in a sentence; all of more stand in a list.
MOST = 6
TONES: dict[Direction, Tone] = {"worse": "worse", "better": "better"}


def section(comparison: Comparison) -> Section:
    """What differs in the set-up first, then what changed, then the rest."""
    verdict, counts = words.verdict(comparison)
    runs = f"Base: {words.about(comparison.base)}. Head: {words.about(comparison.head)}."
    told = [words.differs(change) for change in comparison.setup]
    more = f"; and {len(told) - MOST} more" if len(told) > MOST else ""
    setup = f"What else differs: {'; '.join(told[:MOST])}{more}." if told else "Nothing else is told to differ."
    paragraphs = (f"{verdict} {counts}", setup, runs, words.method(comparison))
    return Section("changes", "Beside the base", paragraphs, tuple(_blocks(comparison)))


def _blocks(comparison: Comparison) -> Iterator[Block]:
    if len(comparison.setup) > MOST:
        yield Notes("All that differs besides", tuple(map(words.differs, comparison.setup)))
    if comparison.spreads:
        yield Notes("Between sessions", tuple(map(words.spread, comparison.spreads)))
    files = [(directions.of_variant(change), words.file(change)) for change in directions.variants(comparison)]
    cells = [(directions.of_cell(change), words.cell(change)) for change in directions.cells(comparison)]
    yield _table("Files, what changed first", words.FILE_HEADS, files)
    if cells:
        yield _table("Latencies, what changed first", words.HEADS, cells)
    left = (*words.reasons(comparison), *words.alone(comparison))
    if left:
        yield Notes("Not compared", left)


def _table(caption: str, heads: tuple[str, ...], rows: list[tuple[Direction, tuple[str, ...]]]) -> Table:
    columns = tuple(Column(head, numeric=False) for head in heads[1:])
    made = tuple(
        Row(header, tuple(Cell(text, tone=TONES.get(direction, "plain")) for text in texts))
        for direction, (header, *texts) in rows
    )
    return Table(caption, heads[0], columns, made)
