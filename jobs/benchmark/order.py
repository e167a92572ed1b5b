"""In which order the processes of a session run. Pure, and the same for the same seed.

A round is every cell once, shuffled and cut into segments. The reference of every group runs before the first
segment and after each one, so that every cell has a reference on both sides, shared by neighbouring segments and by
neighbouring rounds: drift and heat are seen where they happen (bracketing, as in metrology).
"""

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from common.schema.benchmark import Cell, Place, Runner, SessionLine

Group = tuple[str, int, Runner]
# Cells of one backend between two references, where there are many, and segments of a round at least.
SEGMENT_CELLS = 5
FEWEST_SEGMENTS = 4
# Two or three variants: one or two beside the reference.
FEW_OTHERS = 2
SEGMENTS_OF_FEW = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """One process to run: where it stands, the how manyeth `attempt` of its segment and `retry` of itself it is."""

    round: int
    segment: int
    attempt: int
    place: Place
    cell: Cell
    retry: int = 0


def group(cell: Cell) -> Group:
    """Cells of one group differ in their variant alone, and are compared."""
    return cell.backend, cell.threads, cell.runner


@dataclass(frozen=True)
class Layout:
    """A session's cells apart: the reference of every group, and all others."""

    session: SessionLine

    @cached_property
    def references(self) -> dict[Group, Cell]:
        """The reference's cell of every group."""
        return {group(cell): cell for cell in self.session.cells if cell.variant == self.session.reference}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All that is no reference."""
        return tuple(cell for cell in self.session.cells if cell.variant != self.session.reference)

    @cached_property
    def segments(self) -> int:
        """Of every round; one without cells if there is nothing but references."""
        if not self.cells:
            return 1
        per_backend = max(Counter(cell.backend for cell in self.cells).values())
        few = len({cell.variant for cell in self.cells}) <= FEW_OTHERS
        most = SEGMENTS_OF_FEW if few else max(FEWEST_SEGMENTS, -(-per_backend // SEGMENT_CELLS))
        return min(most, len(self.cells))

    def segment(self, number: int, place: int) -> tuple[Cell, ...]:
        """The cells of a segment of round `number`, in their order."""
        shuffled = list(self.cells)
        self._random(number).shuffle(shuffled)
        count = len(shuffled)
        return tuple(shuffled[place * count // self.segments : (place + 1) * count // self.segments])

    def attempt(self, number: int, place: int, attempt: int, groups: Collection[Group]) -> tuple[Slot, ...]:
        """The processes of a segment for these groups. References before it run at the very beginning and where it
        is measured again; otherwise those after the segment before serve."""
        beside = [cell for name, cell in self.references.items() if name in groups]
        self._random(number, place, attempt).shuffle(beside)
        inside = [cell for cell in self.segment(number, place) if group(cell) in groups]
        first = beside if attempt or number == place == 0 else []
        # Nothing but references: one of each in a round.
        last = [] if first and not self.cells else beside
        planned: list[tuple[Place, Cell]] = [
            *(("before", cell) for cell in first),
            *(("within", cell) for cell in inside),
            *(("after", cell) for cell in last),
        ]
        return tuple(Slot(number, place, attempt, where, cell) for where, cell in planned)

    def round(self, number: int) -> tuple[Slot, ...]:
        """A whole round when nothing is measured again."""
        groups = set(self.references)
        return tuple(slot for place in range(self.segments) for slot in self.attempt(number, place, 0, groups))

    def _random(self, *place: int) -> random.Random:
        # Text seeds shuffle alike on every machine and with every version of Python.
        return random.Random(f"{self.session.seed}/{self.session.session}/{place}")  # noqa: S311
