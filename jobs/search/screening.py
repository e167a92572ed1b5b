"""What is measured before anything is trained: structures in number formats, seconds each."""

from collections.abc import Mapping, Sequence

from common.artifact import write_model
from common.errors import EdgeproofError
from common.printable import tell
from common.schema.benchmark import Benchmark
from common.schema.costs import CostTable, HeldOut, Observation
from common.schema.judgement import Setting
from common.schema.search_result import Answered, Candidate, Screened
from jobs.search.budget import Budget
from jobs.search.costs import Predictor, held_out, merged
from jobs.search.judge import Standing, standings
from jobs.search.measured import observations, row, screened, target
from jobs.search.runs import SCREENING, Made, Recipes, Runs, Where
from jobs.search.space import untrained

COSTS = "costs.json"


class Screening:
    """What was measured so far. `candidates` are all that were thought of, `problems` says why one was not made."""

    def __init__(self, runs: Runs, budget: Budget, where: Where, reference: str, rounds: int) -> None:
        self._runs, self._budget, self._where, self._reference = runs, budget, where, reference
        self._settings = SCREENING | {
            "backends": [where.backend],
            "threads": [where.threads],
            "rounds": rounds,
            "most_rounds": rounds,
            "profile": True,
        }
        self.candidates: dict[str, Candidate] = {}
        self.screened: dict[str, Screened] = {}
        self.made: dict[str, Made] = {}
        self.problems: dict[str, str] = {}
        self.setting: Setting | None = None
        self._own: Made | None = None
        self._observed: list[Observation] = []
        self._table: CostTable | None = None
        self._names: list[str] = []

    @property
    def reference(self) -> Answered:
        """The reference's answers."""
        return self.beside.validation

    @property
    def beside(self) -> Screened:
        """The reference, which the others are shares of. Raises EdgeproofError where it was not made."""
        made = self._reference_made()
        if made.answers is None:
            raise EdgeproofError(f"'{self._reference}' has no answers to the validation images")
        return Screened(time=1.0, size_bytes=made.variant.model.size_bytes, validation=made.answers)

    def _reference_made(self) -> Made:
        if self._own is None:
            raise EdgeproofError(f"'{self._reference}' was not made", hint="see the messages above")
        return self._own

    def screen(self, name: str, what: str, candidates: Sequence[Candidate], share: float) -> None:
        """Make and measure candidates as a step, as many as there is time for until `share` of the budget."""
        new = {one.name: one for one in candidates if one.name not in self.candidates}
        self.candidates |= new
        count = self._budget.begin(name, tuple(new), self._budget.each_s(self._names), share)
        tried = dict(list(new.items())[:count])
        if tried:
            self._names.append(name)
            recipes = {key: untrained(one.recipe) for key, one in tried.items()}
            made = self._build(name, recipes)
            predicted = self._predict(made)
            self._take(self._runs.measure(name), made, predicted)
        self._budget.end(name, what, tuple(tried), len(new) - len(tried))
        tell(
            f"{name}: {len(self.screened)} candidates measured, {len(self.problems)} could not be made"
            f"{self._budget.after_step}"
        )

    def standings(self) -> list[Standing]:
        """All that were measured, beside the reference."""
        return standings(tuple(self.candidates.values()), self.screened, self.reference)

    def costs(self) -> HeldOut | None:
        """How well the cost table predicts a candidate from the others; None where no nodes were timed."""
        return held_out(self._observed) if self._observed else None

    def times(self, number: str) -> dict[str, float]:
        """Latencies in a number format, by the name of the structure."""
        found = {}
        for name, one in self.screened.items():
            candidate = self.candidates[name]
            if candidate.recipe.convert.format == number and one.time is not None:
                found[candidate.structure] = one.time
        return found

    def _build(self, name: str, recipes: Recipes) -> dict[str, Made]:
        made = self._runs.build(name, recipes, self._settings)
        for key in recipes.keys() - made.keys():
            self.problems[key] = self._runs.problem(name, key)
        # The steps after the first are given the same file.
        self._own = self._own or self._runs.reference(name)
        self.made |= made
        return made

    def _predict(self, made: Mapping[str, Made]) -> dict[str, float]:
        """Latencies as shares of the reference's, before they are measured, where there is anything to go by."""
        if self._table is None:
            return {}
        predictor = Predictor(self._table.entries)
        whole = predictor.predict(self._reference_made().model.read_bytes()).us
        found = {name: predictor.predict(one.model.read_bytes()).us for name, one in made.items()}
        return {name: us / whole for name, us in found.items() if us and whole}

    def _take(self, found: Benchmark, made: Mapping[str, Made], predicted: Mapping[str, float]) -> None:
        self.screened |= screened(found, made, self._where, predicted)
        own = row(found, self._reference, self._where)
        if own is not None:
            self.setting = Setting(
                target=found.target.name,
                backend=self._where.backend,
                threads=self._where.threads,
                runner=own.cell.runner,
            )
        new = observations(found, {self._reference: self._reference_made(), **made}, self._where)
        self._observed += [one for one in new if one.name not in {known.name for known in self._observed}]
        self._table = merged(self._table or CostTable(target=target(found.target, self._where)), new)
        write_model(self._runs.home / COSTS, self._table)
