"""Fine-tuning of what has something to win, in rungs: each trains longer than the one before, and takes half of it."""

from collections.abc import Sequence
from dataclasses import replace

from common.printable import tell
from common.schema.search import Search
from common.schema.search_result import Rung, loss
from common.schema.variant import Validation
from jobs.search.budget import Budget
from jobs.search.judge import RUNGS, Standing, promoted, worst
from jobs.search.runs import Made, Runs
from jobs.search.screening import Screening
from jobs.search.space import epochs, with_epochs

# Of the budget, what all rungs may spend of it together with what came before.
SHARE = 0.95


class Trials:
    """What was trained: `rungs` by candidate, and `made`, the files of the last one."""

    def __init__(self, runs: Runs, budget: Budget, screening: Screening, settings: Search, margin: float) -> None:
        self._runs, self._budget, self._screening = runs, budget, screening
        self._settings, self._margin = settings, margin
        self.rungs: dict[str, tuple[Rung, ...]] = {}
        self.made: dict[str, Made] = {}

    def run(self, chosen: Sequence[Standing]) -> list[Standing]:
        """Train them, rung by rung; those of the last, as they are then."""
        left, each_epoch = list(chosen), None
        for number, (share, _) in enumerate(RUNGS):
            if not left:
                break
            name = f"trained-{number + 1}"
            wanted = len(left)
            left = self._in_time(name, left, share, each_epoch)
            spent = sum(_lengths(left, share))
            left = self._rung(name, left, share, wanted - len(left))
            each_epoch = self._budget.steps[-1].took_s / spent
            if number + 1 < len(RUNGS):
                left = promoted(left, number, self._margin, self._settings.objective, self._settings.finalists)
        return left

    def _in_time(self, name: str, found: list[Standing], share: float, each_epoch: float | None) -> list[Standing]:
        """The first of them that there is time for; the trained ones take the time that their epochs take."""
        wanted = [one.candidate.name for one in found]
        lengths = _lengths(found, share)
        mean = None if each_epoch is None else each_epoch * sum(lengths) / len(lengths)
        return found[: self._budget.begin(name, wanted, mean, SHARE)]

    def _rung(self, name: str, tried: Sequence[Standing], share: float, late: int) -> list[Standing]:
        recipes = {one.candidate.name: with_epochs(one.candidate.recipe, share) for one in tried}
        made = self._runs.build(name, recipes, {})
        found = []
        for one in tried:
            key = one.candidate.name
            validation = made[key].answers if key in made else None
            if not isinstance(validation, Validation):
                self._screening.problems[key] = self._runs.problem(name, key)
                continue
            rung = Rung(epochs=epochs(recipes[key]), validation=validation)
            self.rungs[key] = (*self.rungs.get(key, ()), rung)
            found.append(replace(one, loss=loss(validation, self._screening.reference), worst=worst(validation)))
        self.made = made
        self._budget.end(name, f"trained over {share:.0%} of the epochs", tuple(recipes), late)
        tell(f"{name}: {len(found)} trained over {share:.0%} of their epochs{self._budget.after_step}")
        return found


def _lengths(found: Sequence[Standing], share: float) -> list[int]:
    """The epochs of each in a rung."""
    return [epochs(with_epochs(one.candidate.recipe, share)) for one in found]
