"""A session as its ledger lines tell it: what was kept, and which process is next. Pure.

A line moves it on; nothing else does. So a benchmark that was killed anywhere goes on exactly there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from common.schema.benchmark import Cell, RunLine, SessionLine
from common.schema.outcome import Unsupported
from jobs.benchmark.order import Group, Layout, Slot, group
from jobs.benchmark.pairs import Bracket, disturbed, drifted

MOST_ATTEMPTS = 3
MOST_RETRIES = 2
# So many processes were run again before it is judged whether that helps here.
ENOUGH_RETRIED = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """A group's two references around a segment, and how many attempts it took; none where it had no cell there."""

    round: int
    segment: int
    before: RunLine
    after: RunLine
    attempts: int


class Session:
    """State of a session. `rounds` are those that are complete; `sound` is False when a line does not follow from
    those before it: then nothing of it is used."""

    def __init__(self, line: SessionLine) -> None:
        self.line = line
        self.layout = Layout(line)
        self.runs: list[RunLine] = []
        self.kept: dict[Cell, list[RunLine]] = {cell: [] for cell in line.cells}
        self.brackets: dict[Cell, list[Bracket]] = {cell: [] for cell in line.cells}
        self.segments: dict[Group, list[Kept]] = {name: [] for name in self.layout.references}
        self.rounds = 0
        self.sound = True
        self.took_s = 0.0
        self.retried = self._in_vain = 0
        self._latest: dict[Group, RunLine] = {}
        self._queue: tuple[Slot, ...] = ()
        self._at = self._retry = 0
        self._attempt: list[RunLine] = []

    @property
    def bracketed(self) -> bool:
        """Whether it is of the present form."""
        return self.line.reference is not None

    def within_round(self) -> Slot | None:
        """The next process of the round that has begun; None between two rounds."""
        if self._at == len(self._queue):
            return None
        slot = self._queue[self._at]
        return Slot(slot.round, slot.segment, slot.attempt, slot.place, slot.cell, self._retry)

    def opening(self) -> Slot:
        """The first process of the next round."""
        return self._first_attempt(self.rounds, 0)[0]

    def left(self, rounds: int) -> tuple[Slot, ...]:
        """What is planned up to so many rounds, if nothing is measured again."""
        here = self._queue[self._at :]
        number, place = (here[-1].round, here[-1].segment) if here else (self.rounds, -1)
        rest = [slot for later in range(number, rounds) for slot in self.layout.round(later)]
        return (*here, *(slot for slot in rest if (slot.round, slot.segment) > (number, place)))

    def add(self, run: RunLine) -> None:
        """Move on by a line of the ledger."""
        self.runs.append(run)
        self.took_s += run.took_s or 0.0
        if not self.bracketed:
            self._add_to_round(run)
            return
        if self._at == len(self._queue):
            self._begin(self._first_attempt(self.rounds, 0))
        expected = self.within_round()
        found = Slot(run.round, run.segment, run.attempt, run.place, run.cell, run.retry)
        if found != expected or run.order != len(self.runs) - 1:
            self.sound = False
        if not self.sound:
            return
        if disturbed(run) and run.retry < MOST_RETRIES and self._retrying_helps():
            self._retry += 1
            return
        self._keep(run)

    def _add_to_round(self, run: RunLine) -> None:
        """The form before: every round held every cell once."""
        if run.cell not in self.kept:
            self.sound = False
            return
        self.kept[run.cell].append(run)

    def _retrying_helps(self) -> bool:
        """Where a busy machine disturbs processes again and again, CPU times have to do."""
        return self.retried < ENOUGH_RETRIED or 2 * self._in_vain <= self.retried

    def _keep(self, run: RunLine) -> None:
        if run.retry:
            self.retried += 1
            self._in_vain += disturbed(run)
        self._retry = 0
        self._attempt.append(run)
        self._at += 1
        if self._at == len(self._queue):
            self._end_attempt()

    def _begin(self, queue: tuple[Slot, ...]) -> None:
        self._queue, self._at, self._attempt = queue, 0, []

    def _first_attempt(self, number: int, place: int) -> tuple[Slot, ...]:
        """A segment's first attempt. A backend that is not there is asked for once in a round, at its end."""
        absent = {name for name, run in self._latest.items() if isinstance(run.outcome, Unsupported)}
        planned = self.layout.attempt(number, place, 0, set(self.layout.references))
        if place == self.layout.segments - 1:
            return planned
        return tuple(slot for slot in planned if slot.place != "after" or group(slot.cell) not in absent)

    def _end_attempt(self) -> None:
        here = self._queue[-1]
        before = dict(self._latest)
        before.update({group(run.cell): run for run in self._attempt if run.place == "before"})
        after = {group(run.cell): run for run in self._attempt if run.place == "after"}
        self._latest = before | after
        within = {group(run.cell) for run in self._attempt if run.place == "within"}
        again = {name for name in within if name in before and name in after and drifted(before[name], after[name])}
        if here.attempt + 1 >= MOST_ATTEMPTS:
            again = set()
        self._store(before, after, again)
        if again:
            self._begin(self.layout.attempt(here.round, here.segment, here.attempt + 1, again))
        elif here.segment + 1 < self.layout.segments:
            self._begin(self._first_attempt(here.round, here.segment + 1))
        else:
            self._begin(())
            self.rounds += 1

    def _store(self, before: dict[Group, RunLine], after: dict[Group, RunLine], again: set[Group]) -> None:
        here, within = self._queue[-1], set()
        for run in self._attempt:
            name = group(run.cell)
            if run.place != "within":
                self.kept[run.cell].append(run)
                continue
            within.add(name)
            if name not in again:
                self.kept[run.cell].append(run)
                if name in before and name in after:
                    self.brackets[run.cell].append(Bracket(run, before[name], after[name]))
        for name in before.keys() & after.keys() - again:
            attempts = here.attempt + 1 if name in within else 0
            self.segments[name].append(Kept(here.round, here.segment, before[name], after[name], attempts))

    def brackets_of(self, cell: Cell, reference: Cell) -> list[Bracket]:
        """A cell's processes between their references; by round in the form before."""
        if self.bracketed or cell == reference:
            return self.brackets.get(cell, [])
        by_round = {run.round: run for run in self.kept.get(reference, [])}
        own = sorted(self.kept[cell], key=lambda run: run.round)
        return [Bracket(run, by_round[run.round], by_round[run.round]) for run in own if run.round in by_round]


def references_between(kept: Sequence[Kept]) -> list[tuple[int, Bracket]]:
    """References that stood between two others, each with the segment that it began: a file against itself.

    Those between two segments of a round; where rounds have one segment, those between two rounds.
    """
    inside = any(one.segment for one in kept)
    found = []
    for left, right in pairwise(kept):
        if (right.round == left.round and right.segment == left.segment + 1) or not inside:
            found.append((right.segment, Bracket(left.after, left.before, right.after)))
    return found
