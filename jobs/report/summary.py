"""`summary.md`: the report in a few lines for a pull request or a job's page. Pure; nothing is decided here."""

from collections.abc import Iterator

from common.numbers import ABSENT, count, duration, listed, megabytes, percent, speedup
from common.schema.results import Latency, Results
from common.summary import Summary, Table, markdown
from jobs.report import verdicts
from jobs.report.choice import standing
from jobs.report.names import Grid, Setting, variant_labels
from jobs.report.sections.card import card
from jobs.report.sections.master import WORDS

HEAD = ("Variant", "Verdict", "MB", "Latency", "Speed-up", "Quality")


def summary_md(results: Results) -> bytes:
    """The decision, the rows that it rests on, and every variant in every setting."""
    found, grid = card(results), Grid(results)
    sure = f" ({found.chip[0]})" if found.chip[0] else ""
    where = "" if grid.first is None else f" Decided on {grid.first.label}."
    experiment = results.provenance[-1].experiment if results.provenance else "results"
    variants, settings = count(len(results.variants), "variant"), count(len(grid.settings), "setting")
    return markdown(
        Summary(
            marker=f"summary of {experiment}",
            verdict=f"{found.lead}: {found.name}{sure}.",
            reason=f"{found.reason}{where}",
            deciding=Table(HEAD, tuple(_row(results, grid, name) for name in _deciding(results))),
            notes=tuple(_notes(results, found.problems)),
            title=f"{variants} in {settings}; everything else is in report.html",
            everything=_everything(results, grid),
        )
    )


def _deciding(results: Results) -> Iterator[str]:
    """The recommended variant, the reference and the runner-up; the reference alone where nothing is recommended."""
    choice = results.choice
    second = None if choice is None or choice.runner_up is None else choice.runner_up.name
    best = None if choice is None else choice.best
    known = [variant.name for variant in results.variants]
    yield from dict.fromkeys(name for name in (best, results.reference, second) if name in known)


def _row(results: Results, grid: Grid, name: str) -> tuple[str, ...]:
    variant = next(variant for variant in results.variants if variant.name == name)
    place = standing(results, name)
    word = ABSENT if place is None else WORDS[place.verdict][0]
    reference = ", reference" if name == results.reference else ""
    figures = (ABSENT, ABSENT) if grid.first is None else (_latency(grid, name, grid.first), _speed(grid, name))
    return (
        f"{variant_labels(results)[name]}{reference}",
        word,
        megabytes(variant.size_bytes),
        *figures,
        *_quality(results, name),
    )


def _latency(grid: Grid, name: str, setting: Setting) -> str:
    found = grid.result(name, setting)
    if isinstance(found, Latency):
        return duration(found.latency_us)
    return ABSENT if found is None else found.kind


def _speed(grid: Grid, name: str) -> str:
    """The speed-up in the deciding setting, in the judge's word."""
    found = None if grid.first is None else grid.speed(name, grid.first)
    if found is None or found.ratio is None:
        return ABSENT if found is None or found.verdict == "reference" else found.verdict
    return f"{speedup(found.ratio)} {found.verdict}"


def _quality(results: Results, name: str) -> tuple[str]:
    judgement = verdicts.spoken(results)
    kept = None if judgement is None else judgement.of(name).accuracy
    word = "" if kept in (None, "reference", "not judged") else str(kept)
    shares = [percent(e.accuracy.value) for e in results.evaluations if e.variant == name]
    scores = [f"{a.score.value:.4g}" for a in results.answers if a.variant == name and a.score is not None]
    return (", ".join(filter(None, (*shares, *scores, word))) or ABSENT,)


def _everything(results: Results, grid: Grid) -> Table:
    """A row per variant, a column per setting, the deciding one first."""
    first = () if grid.first is None else (grid.first,)
    settings = (*first, *(setting for setting in grid.settings if setting != grid.first))
    labels = variant_labels(results)
    head = ("Variant", "MB", "Quality", *(setting.label for setting in settings))
    rows = (
        (labels[v.name], megabytes(v.size_bytes), *_quality(results, v.name), *_cells(grid, v.name, settings))
        for v in results.variants
    )
    return Table(head, tuple(rows))


def _cells(grid: Grid, name: str, settings: tuple[Setting, ...]) -> Iterator[str]:
    for setting in settings:
        yield f"{_latency(grid, name, setting)} {verdicts.sign(grid.speed(name, setting))}".rstrip()


def _notes(results: Results, problems: tuple[str, ...]) -> Iterator[str]:
    grid, labels = Grid(results), variant_labels(results)
    if grid.first is not None and grid.first.functional_only:
        yield f"{grid.first.target} is functional only: it shows that the variants run, not how fast."
    if problems:
        yield f"What is wrong: {listed(problems)}"
    reasons: dict[str, str] = {}
    for name, setting in ((name, setting) for setting in grid.settings for name in _deciding(results)):
        found = grid.result(name, setting)
        if found is not None and not isinstance(found, Latency):
            reasons.setdefault(f"{found.kind}: {found.reason}", labels[name])
    yield from (f"{label}: {reason}" for reason, label in reasons.items())
    yield from results.warnings
