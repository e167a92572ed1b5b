"""The time of a search, step by step. What a step took and which candidates it reached is kept in the search's folder,
so that one that goes on after it was killed decides as it did."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.artifact import content, write_bytes
from common.errors import UsageError
from common.numbers import elapsed
from common.schema.search_result import Step

STEPS = TypeAdapter(tuple[Step, ...])
FILE = "steps.json"


class Budget:
    """`total_s` for all steps but the last session. `clock` gives seconds, of which only differences count."""

    def __init__(self, folder: Path, total_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = folder / FILE
        self._total_s = total_s
        self._clock = clock
        self._before = {step.name: step for step in _read(self._file)}
        self._began = 0.0
        self.steps: list[Step] = []

    @property
    def spent_s(self) -> float:
        """What the steps took, those of before it was killed among them."""
        return sum(step.took_s for step in self.steps)

    @property
    def told(self) -> str:
        """What was spent, of what there is."""
        return f"{elapsed(self.spent_s)} of {elapsed(self._total_s)}"

    @property
    def after_step(self) -> str:
        """What to say behind the words on a step that is done: what it left out, and what is spent."""
        late = self.steps[-1].left_out
        return f"{f', {late} left out' if late else ''} ({self.told})"

    def left(self, share: float) -> float:
        """Seconds until this share of the budget is spent."""
        return max(0.0, share * self._total_s - self.spent_s)

    def begin(self, name: str, wanted: Sequence[str], each_s: float | None, share: float) -> int:
        """How many of the candidates there is time for, until `share` of the budget is spent; `each_s` seconds for one,
        None where nobody knows. At least one; as many as before, and more only where the budget was raised."""
        self._began = self._clock()
        known, left_s, before = 0, self.left(share), self._before.get(name)
        if before is not None and before.candidates == tuple(wanted[: len(before.candidates)]):
            known, left_s = len(before.candidates), left_s - before.took_s
            same = len(wanted) == known + before.left_out
            if known and same and (not before.left_out or self._total_s <= before.budget_s):
                return known
        if each_s is None or not each_s:
            return len(wanted)
        return max(1, known, min(len(wanted), known + int(left_s / each_s)))

    def end(self, name: str, what: str, reached: Sequence[str], left_out: int) -> None:
        """Note a step that is done."""
        took, before = self._clock() - self._began, self._before.get(name)
        # What is up to date takes no time again, and has taken it all the same.
        if before is not None and before.candidates == tuple(reached):
            took = max(took, before.took_s)
        self._note(name, what, tuple(reached), took, left_out)

    def skip(self, name: str, what: str, left_out: int) -> None:
        """Note a step for which there is no time."""
        self._note(name, what, (), 0.0, left_out)

    def _note(self, name: str, what: str, reached: tuple[str, ...], took_s: float, left_out: int) -> None:
        step = Step(name=name, what=what, candidates=reached, took_s=took_s, left_out=left_out, budget_s=self._total_s)
        self.steps.append(step)
        later = [one for one in self._before.values() if one.name not in {step.name for step in self.steps}]
        write_bytes(self._file, STEPS.dump_json((*self.steps, *later), indent=2))

    def each_s(self, names: Sequence[str]) -> float | None:
        """Seconds that a candidate took in these steps; None where there were none."""
        steps = [step for step in self.steps if step.name in names and step.candidates]
        count = sum(len(step.candidates) for step in steps)
        return sum(step.took_s for step in steps) / count if count else None


def _read(file: Path) -> tuple[Step, ...]:
    try:
        return STEPS.validate_json(content(file))
    except (UsageError, ValidationError):
        return ()
