"""What every search knows of itself, whatever it looks through."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from common.experiment import LoadedExperiment
from common.run.judge import PREFERRED_BACKEND
from common.schema.experiment import Experiment
from common.schema.judgement import Basis
from common.schema.search import Search
from common.schema.search_result import Mixed, Rewrites, Way
from jobs.search.answered import basis
from jobs.search.budget import Budget
from jobs.search.judge import Standing, finalists
from jobs.search.runs import Runs, Where
from jobs.search.screening import Screening
from jobs.search.trials import Trials


class Searching(ABC):
    """One search from its first step to its last. `space` is what it looks through, `margin` what may be lost, as
    `basis` counts it; `final` are the finalists, and `kept` the names of all that keep the margin in the end."""

    def __init__(self, experiment: LoadedExperiment, runs: Runs, budget: Budget) -> None:
        self._settings = experiment.settings
        self.space: Search = experiment.settings.search
        self._runs, self._budget = runs, budget
        self.basis: Basis = basis(experiment.settings)
        # A tolerance is what may be lost itself.
        self.margin = 1.0 if self.basis == "agreement" else experiment.settings.choose.margin
        self.screening = Screening(
            runs, budget, where(experiment.settings), experiment.settings.reference, self.space.rounds
        )
        self.trials = Trials(runs, budget, self.screening, self.space, self.margin)
        self.rewrites: list[Rewrites] = []
        self.mixed: Mixed | None = None
        self.final: list[Standing] = []
        self.kept: frozenset[str] = frozenset()

    @classmethod
    @abstractmethod
    def require(cls, experiment: LoadedExperiment) -> None:
        """Raise UsageError for an experiment that cannot be searched so."""

    @classmethod
    @abstractmethod
    def prepare(cls, runs: Runs, file: Path) -> None:
        """Have what all steps share, of the experiment in `file`. Raises EdgeproofError where make fails."""

    @property
    @abstractmethod
    def hint(self) -> str:
        """What to do where nothing keeps what may be lost."""

    @abstractmethod
    def look(self) -> None:
        """Measure, train what has to be trained, and find the finalists."""

    @property
    def kept_is(self) -> str:
        """What has to be kept."""
        return "tolerance" if self.basis == "agreement" else "margin"

    def settle(self, found: Sequence[Standing]) -> None:
        """The finalists among what is as it would be shipped."""
        self.kept = frozenset(one.candidate.name for one in found if one.loss <= self.margin)
        self.final = finalists(found, self.margin, self.space.objective, self.space.finalists)

    def recipes(self) -> dict[str, Way]:
        """The finalists' recipes."""
        return {one.candidate.name: one.candidate.recipe for one in self.final}


def where(settings: Experiment) -> Where:
    """The cells that decide: as the judge has them."""
    measured, rules = settings.benchmark.backends, settings.choose
    backend = rules.backend or (PREFERRED_BACKEND if PREFERRED_BACKEND in measured else measured[0])
    return Where(backend, rules.threads or settings.benchmark.threads[0])
