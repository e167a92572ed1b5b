"""What a search tells in the terminal. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from common import search_words as words
from common.experiment import LoadedExperiment, given_time
from common.schema.search_result import SearchResult


def with_budget(loaded: LoadedExperiment, budget: str) -> LoadedExperiment:
    """The experiment with another budget, where one is given. Raises UsageError for one that is no time."""
    if not budget:
        return loaded
    search = loaded.settings.search.model_copy(update={"budget": given_time(budget, "90s, 30m or 2h")})
    return replace(loaded, settings=loaded.settings.model_copy(update={"search": search}))


def told(result: SearchResult, run: Path) -> Iterator[str]:
    """Lines: what was looked at, what was found, and how to go on."""
    yield words.fates(result)
    if not result.of_file:
        yield words.never_trained(result)
    predicts = words.predicts(result)
    if predicts is not None:
        yield predicts
    for one in result.finalists:
        yield words.finalist(result, one)
    yield from words.passed_over(result)
    home = run / "search"
    yield f"recipes: {home / 'found.toml'}, their report: {home / 'found' / 'report' / 'report.html'}"
    yield f"how they were found: {home / 'report.html'}"
