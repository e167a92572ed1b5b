"""The search: what is cheap first. Structures are measured before anything is trained, only those that have something
to win are trained, and only what came through is measured again, apart from the rounds that chose it."""

from collections.abc import Sequence
from pathlib import Path

from common.artifact import write_model, writing
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.printable import tell
from common.provenance import Recorder
from common.run.judge import PREFERRED_BACKEND
from common.schema.convert import Format
from common.schema.experiment import Experiment
from common.schema.recipe import Pass, Recipe
from common.schema.search_result import Mixed, Rewrites, SearchResult
from jobs.search import space
from jobs.search.budget import Budget
from jobs.search.confirm import confirmed
from jobs.search.draws import Drawing
from jobs.search.fates import Ways, outcomes
from jobs.search.judge import RUNGS, Standing, finalists, worth_training
from jobs.search.mixing import mix
from jobs.search.rewrites import changed, decided
from jobs.search.runs import Runs, Where
from jobs.search.screening import Screening
from jobs.search.trials import Trials

ARTIFACT, FOUND = "search.json", "found.toml"
# Of the budget, what is spent when a kind of step has to end.
REWRITES, MIXED, STRUCTURES, DRAWN = 0.25, 0.3, 0.45, 0.55
BATCH = 8


class Searching:
    """One search from its first step to its last."""

    def __init__(self, experiment: LoadedExperiment, runs: Runs, budget: Budget) -> None:
        self._settings = experiment.settings
        self._space = experiment.settings.search
        self._runs, self._budget = runs, budget
        self._margin = experiment.settings.choose.margin
        self._where = where(experiment.settings)
        self.screening = Screening(runs, budget, self._where, experiment.settings.reference, self._space.rounds)
        self.trials = Trials(runs, budget, self.screening, self._space, self._margin)
        self.rewrites: list[Rewrites] = []
        self.mixed: Mixed | None = None
        self.final: list[Standing] = []
        self.kept: frozenset[str] = frozenset()

    def look(self) -> None:
        """Measure structures until those that are worth training are known, train these, and find the finalists."""
        formats = self._rewrites()
        self.mixed = mix(self.screening, self.screening.standings(), MIXED)
        self._structures(formats)
        self._drawn(formats)
        found = self.screening.standings()
        trained = self.trials.run(worth_training(found, self._margin, self._space.trained))
        ready = [one for one in found if not one.candidate.recipe.trains]
        whole = [one for one in trained if len(self.trials.rungs[one.candidate.name]) == len(RUNGS)]
        self.kept = frozenset(one.candidate.name for one in (*ready, *whole) if one.loss <= self._margin)
        self.final = finalists((*ready, *whole), self._margin, self._space.objective, self._space.finalists)

    def _rewrites(self) -> tuple[Format, ...]:
        """Rewrites as a whole and by layer, in every format; the formats that are worth more structures."""
        candidates = [one.candidate(form) for form in self._space.formats for one in space.rewrites(self._space)]
        own = self._settings.recipes[self._settings.reference]
        self.screening.screen(
            "rewrites",
            "the network as it is and rewritten, in every format",
            [one for one in candidates if one.recipe != own],
            REWRITES,
        )
        formats = self._worth()
        separable, normalised = self._changed("merged", "merge_separable"), self._changed("folded", "fold_batch_norm")
        alone = space.single_rewrites(separable, normalised)
        self.screening.screen(
            "layers",
            "every layer rewritten, or left, alone",
            [one.candidate(form) for one in alone for form in formats],
            REWRITES,
        )
        for form in formats:
            self.rewrites.append(decided(form, self.screening.times(form), separable, normalised))
        measured = [one.recipe for one in self.screening.candidates.values()]
        chosen = [
            space.chosen_rewrite(one.merged, one.folded).candidate(form)
            for form, one in zip(formats, self.rewrites, strict=True)
        ]
        self.screening.screen(
            "rewritten",
            "the layers together that are faster rewritten alone",
            [one for one in chosen if one.recipe.passes and one.recipe not in measured],
            REWRITES,
        )
        return formats

    def _changed(self, structure: str, name: str) -> tuple[str, ...]:
        """The layers that a pass changes, as any candidate of the structure tells."""
        for key, made in self.screening.made.items():
            if self.screening.candidates[key].structure == structure:
                return changed(made.variant, name)
        return ()

    def _worth(self) -> tuple[Format, ...]:
        """The formats on the front of latency and size, each at its fastest."""
        best: dict[Format, Standing] = {}
        for one in self.screening.standings():
            form = one.candidate.recipe.convert.format
            if form not in best or one.time < best[form].time:
                best[form] = one
        front = [
            form for form, one in best.items() if not any(other.beats(one, losses=False) for other in best.values())
        ]
        return tuple(form for form in self._space.formats if form in front) or self._space.formats[:1]

    def _bases(self, formats: Sequence[Format]) -> dict[Format, tuple[Pass, ...]]:
        """The passes that every further structure of a format begins with: the fastest rewrite of it."""
        best: dict[Format, Standing] = {}
        for one in self.screening.standings():
            form = one.candidate.recipe.convert.format
            if one.candidate.kind == "rewrite" and (form not in best or one.time < best[form].time):
                best[form] = one
        return {form: best[form].candidate.recipe.passes if form in best else () for form in formats}

    def _structures(self, formats: Sequence[Format]) -> None:
        bases = self._bases(formats)
        thinnest = [space.every_layer(bases[formats[0]], self._space).candidate(formats[0])]
        self.screening.screen(
            "structures",
            "thinner kernels, zeros and students",
            [*thinnest, *space.enumerated(self._space, bases, formats)],
            STRUCTURES,
        )

    def _drawn(self, formats: Sequence[Format]) -> None:
        """Structures with a rank for each part of the network, batch after batch, each told what became of those
        before."""
        layers = self._changed("thinnest", "factorize")
        if not layers or not self._space.drawn:
            return
        bases = self._bases(formats)
        drawing = Drawing(self._runs.home, layers, formats, self._settings.seed, space=repr(bases))
        for batch in range(-(-self._space.drawn // BATCH)):
            if not self._budget.left(DRAWN):
                return
            first = batch * BATCH
            draws = drawing.draw(first, min(BATCH, self._space.drawn - first))
            made = {
                one.number: space.drawn(one.number, self._space, bases[one.form], one.ranks, one.form) for one in draws
            }
            self.screening.screen(
                f"drawn-{batch + 1}",
                "a rank of its own for every part of the network",
                [one for one in made.values() if one is not None],
                DRAWN,
            )
            for number, one in made.items():
                drawing.tell(number, None if one is None else self._values(one.name))

    def _values(self, name: str) -> tuple[float, float, float] | None:
        found = self.screening.screened.get(name)
        if found is None or found.time is None:
            return None
        return found.time, found.size_bytes, found.validation.loss(self.screening.reference)

    def recipes(self) -> dict[str, Recipe]:
        """The finalists' recipes."""
        return {one.candidate.name: one.candidate.recipe for one in self.final}


def search(experiment: LoadedExperiment, raw: bytes, file: Path, run: Path, make: Sequence[str]) -> SearchResult:
    """Search the space of `experiment`, whose text is `raw` and stands in `file`, and write <run>/search.

    Goes on where a search that was killed stopped. Raises UsageError for an experiment that cannot be searched,
    EdgeproofError where nothing can be measured, or nothing is found.
    """
    recorder = Recorder("search", experiment)
    require(experiment.settings)
    runs = Runs(make, experiment, raw, run)
    runs.train(file)
    with writing(runs.home, ARTIFACT):
        budget = Budget(runs.home, experiment.settings.search.budget_s)
        searching = Searching(experiment, runs, budget)
        searching.look()
        if not searching.final:
            raise EdgeproofError("no candidate keeps the margin", hint="raise [choose] margin, or fine_tune longer")
        tell(f"finalists: {', '.join(searching.recipes())}")
        found = runs.home / FOUND
        runs.write(found, runs.text(searching.recipes(), f"{experiment.settings.title}: found"))
        made = {**searching.screening.made, **searching.trials.made}
        final = runs.finish("found", found, [made[name] for name in searching.recipes()])
        result = _result(experiment, searching, budget, final, recorder)
        write_model(runs.home / ARTIFACT, result)
    return result


def _result(
    experiment: LoadedExperiment, searching: Searching, budget: Budget, final: Path, recorder: Recorder
) -> SearchResult:
    names = tuple(searching.recipes())
    screening, trials = searching.screening, searching.trials
    if screening.setting is None:
        raise EdgeproofError("nothing was measured where latencies count", hint="see [choose] backend and threads")
    ways = Ways(
        screened=screening.screened,
        problems=screening.problems,
        rungs=trials.rungs,
        kept=searching.kept,
        finalists=names,
        confirmed=confirmed(final, names),
        longest=max(map(len, trials.rungs.values()), default=0),
    )
    found = outcomes(tuple(screening.candidates.values()), ways)
    judged = [one for one in found if one.screened is not None]
    return SearchResult(
        provenance=recorder.finish({}, ("optuna",)),
        settings=experiment.settings.search,
        reference=experiment.settings.reference,
        beside=screening.beside,
        setting=screening.setting,
        margin=experiment.settings.choose.margin,
        took_s=budget.spent_s,
        steps=tuple(budget.steps),
        rewrites=tuple(searching.rewrites),
        mixed=searching.mixed,
        outcomes=found,
        costs=screening.costs(),
        never_trained=sum(not one.rungs for one in judged) / len(judged) if judged else 0.0,
        found=names,
    )


def require(settings: Experiment) -> None:
    """Raise UsageError for an experiment that cannot be searched."""
    if settings.reference not in settings.recipes:
        hint = 'let [variants] have one, such as baseline with convert = { format = "float32" }'
        raise UsageError("a search begins with a recipe for a trained network as the reference", hint=hint)
    if not settings.data.test_share:
        hint = "give [data] a test_share, such as 0.25, and train with it"
        raise UsageError("a search needs test images that it never sees", hint=hint)


def where(settings: Experiment) -> Where:
    """The cells that decide: as the judge has them."""
    measured, rules = settings.benchmark.backends, settings.choose
    backend = rules.backend or (PREFERRED_BACKEND if PREFERRED_BACKEND in measured else measured[0])
    return Where(backend, rules.threads or settings.benchmark.threads[0])
