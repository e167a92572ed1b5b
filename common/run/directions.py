"""Which way a row went from one run to another, so that what changed can stand first. Pure."""

from collections.abc import Sequence

from common.schema.comparison import (
    CellChange,
    Comparison,
    Direction,
    FigureWord,
    LatencyWord,
    QualityWord,
    VariantChange,
)

# The order in which rows are shown, and in which one aspect outweighs another.
ORDER: tuple[Direction, ...] = ("worse", "better", "changed", "unsure", "same")
LATENCY: dict[LatencyWord, Direction] = {
    "slower": "worse",
    "lost": "worse",
    "faster": "better",
    "won": "better",
    "not resolved": "unsure",
    "not compared": "unsure",
    "as fast": "same",
    "same file": "same",
}
FIGURE: dict[FigureWord, Direction] = {"more": "worse", "less": "better", "alike": "same", "not compared": "same"}
QUALITY: dict[QualityWord, Direction] = {
    "shown to lose": "worse",
    "not shown": "unsure",
    "not compared": "unsure",
    "shown to keep": "same",
    "same file": "same",
}


def of_variant(change: VariantChange) -> Direction:
    """A file's: its size and its quality."""
    return _first((FIGURE[change.size.verdict], QUALITY[change.quality.verdict]))


def of_cell(change: CellChange) -> Direction:
    """A cell's: its latency, its memory, and what devices tell."""
    told = (LATENCY[change.latency.verdict], FIGURE[change.memory.verdict])
    return _first((*told, change.delegation.direction, change.answers.direction))


def _first(aspects: Sequence[Direction]) -> Direction:
    return min(aspects, key=ORDER.index)


def cells(comparison: Comparison) -> tuple[CellChange, ...]:
    """What changed first; else in their order."""
    return tuple(sorted(comparison.cells, key=lambda change: ORDER.index(of_cell(change))))


def variants(comparison: Comparison) -> tuple[VariantChange, ...]:
    """What changed first; else in their order."""
    return tuple(sorted(comparison.variants, key=lambda change: ORDER.index(of_variant(change))))
