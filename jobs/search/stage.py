"""A search from an experiment to what it found: of a trained network, or of a finished file."""

from collections.abc import Sequence
from pathlib import Path

from common.artifact import write_model, writing
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.printable import tell
from common.provenance import Recorder
from common.schema.search_result import SearchResult
from jobs.search.budget import Budget
from jobs.search.confirm import confirmed
from jobs.search.fates import Ways, outcomes
from jobs.search.files import Files
from jobs.search.networks import Networks
from jobs.search.runs import Runs
from jobs.search.searching import Searching

ARTIFACT, FOUND = "search.json", "found.toml"


def search(experiment: LoadedExperiment, raw: bytes, file: Path, run: Path, make: Sequence[str]) -> SearchResult:
    """Search the space of `experiment`, whose text is `raw` and stands in `file`, and write <run>/search.

    Goes on where a search that was killed stopped. Raises UsageError for an experiment that cannot be searched,
    EdgeproofError where nothing can be measured, or nothing is found.
    """
    recorder = Recorder("search", experiment)
    kind = Networks if experiment.settings.reference in experiment.settings.recipes else Files
    kind.require(experiment)
    runs = Runs(make, experiment, raw, run)
    kind.prepare(runs, file)
    with writing(runs.home, ARTIFACT):
        budget = Budget(runs.home, experiment.settings.search.budget_s)
        searching = kind(experiment, runs, budget)
        searching.look()
        if not searching.final:
            raise EdgeproofError(f"no candidate keeps the {searching.kept_is}", hint=searching.hint)
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
        confirmed=confirmed(final, names, experiment.settings),
        longest=max(map(len, trials.rungs.values()), default=0),
    )
    found = outcomes(tuple(screening.candidates.values()), ways)
    judged = [one for one in found if one.screened is not None]
    return SearchResult(
        provenance=recorder.finish({}, ("optuna",)),
        settings=searching.space,
        reference=experiment.settings.reference,
        beside=screening.beside,
        setting=screening.setting,
        margin=searching.margin,
        basis=searching.basis,
        took_s=budget.spent_s,
        steps=tuple(budget.steps),
        rewrites=tuple(searching.rewrites),
        mixed=searching.mixed,
        outcomes=found,
        costs=screening.costs(),
        never_trained=sum(not one.rungs for one in judged) / len(judged) if judged else 0.0,
        found=names,
    )
