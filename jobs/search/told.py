"""What a search tells in the terminal. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.numbers import percent
from common.schema.duration import LONGEST, Duration
from common.schema.search_result import Outcome, SearchResult


def with_budget(loaded: LoadedExperiment, budget: str) -> LoadedExperiment:
    """The experiment with another budget, where one is given. Raises UsageError for one that is no time."""
    if not budget:
        return loaded
    try:
        given = TypeAdapter(Duration).validate_python(budget)
    except ValidationError:
        raise UsageError(f"BUDGET={budget} is no time of at most {LONGEST}", hint="such as 90s, 30m or 2h") from None
    search = loaded.settings.search.model_copy(update={"budget": given})
    return replace(loaded, settings=loaded.settings.model_copy(update={"search": search}))


def told(result: SearchResult, run: Path) -> Iterator[str]:
    """Lines: what was looked at, what was found, and how to go on."""
    fates = Counter(one.fate for one in result.outcomes)
    yield f"{len(result.outcomes)} candidates: " + ", ".join(f"{count} {fate}" for fate, count in fates.most_common())
    yield f"never trained: {percent(result.never_trained)} of those that were measured"
    if result.costs is not None and result.costs.spearman is not None and result.costs.median_error is not None:
        yield (
            f"the cost table predicts a candidate from the others with rank correlation "
            f"{result.costs.spearman:.2f}, "
            f"{percent(result.costs.median_error)} off in the median"
        )
    for one in result.outcomes:
        if one.fate == "finalist":
            yield _finalist(one)
    yield f"recipes: {run / 'search' / 'found.toml'}, report: {run / 'search' / 'found' / 'report' / 'report.html'}"


def _finalist(one: Outcome) -> str:
    kind = "the same network" if one.candidate.same_network else "another network"
    line = f"{one.candidate.name} ({kind})"
    if one.screened is not None and one.screened.time is not None:
        line += f": {1 / one.screened.time:.2f}x when it was chosen"
    if one.confirmed is not None:
        if one.confirmed.ratio is not None:
            ratio = one.confirmed.ratio
            line += f", {ratio.value:.2f}x ({ratio.low:.2f} to {ratio.high:.2f}) in its own session"
        line += (
            f", accuracy {percent(one.confirmed.accuracy.value)} of {percent(one.confirmed.reference_accuracy.value)}"
        )
        line += f": {one.confirmed.keeping}" + (", recommended" if one.confirmed.recommended else "")
    return line
