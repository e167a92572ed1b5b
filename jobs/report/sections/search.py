"""The page of a search: what to ship with both figures, and how it was found. Pure; nothing is decided here."""

import shlex
from collections.abc import Iterator, Sequence

from common import search_words as words
from common.comparison_words import place
from common.numbers import (
    ABSENT,
    BYTES_PER_MB,
    TimeUnit,
    clipped,
    count,
    decimal,
    decimals,
    listed,
    percent,
    time_unit,
)
from common.schema.search import Search
from common.schema.search_result import Fate, Outcome, Rewrites, SearchResult, Step, loss
from jobs.report.blocks import Commands, Link, Prose, Tone
from jobs.report.document import Cell, Column, Document, File, Fold, Row, Section, Table, drawn, facts
from jobs.report.draw import search as draw
from jobs.report.draw.canvas import standalone
from jobs.report.sections.finalists import NOBODY, card, finalists, number, recipe, sentence

# The finalists' experiment and the report of their own run, beside the artifact.
FOUND, REPORT = "found.toml", "found/report/report.html"
SENTENCE = 400
FLOAT = "float32"
TONES: dict[Fate, Tone] = {"finalist": "better", "failed": "problem", "lost accuracy": "worse"}


def document(result: SearchResult, found: str) -> Document:
    """The whole page; `found` is the path of the finalists' experiment."""
    charts, predicted = drawn(draw.candidates(result)), drawn(draw.predictions(result))
    sections = (
        Section("decision", "What to ship", (), (card(result),)),
        finalists(result),
        *((Section("candidates", "Latency and size", (), charts, half=True),) if charts else ()),
        Section("predictions", "Predicted latencies", (_predicts(result),), predicted, half=bool(charts and predicted)),
        _funnel(result),
        *_rewritten(result),
        *_mixed(result),
        *_trained(result),
        Section("again", "How to run it again", (AGAIN,), (Commands((_again(found),)), Link(OPEN, REPORT))),
        Section("every", "Every candidate", (), (_every(result), *_ways(result)), folded=True),
        Section("search", "What was searched", (), (_settings(result),), folded=True),
    )
    files = tuple(File(chart.file, standalone(chart)) for chart in (*charts, *predicted))
    experiment = result.provenance.experiment
    return Document(f"Search: {experiment}", words.heading(result), sections, files=files)


AGAIN = "In a checkout of this project. The finalists are ordinary recipes in an experiment of their own."
OPEN = "The report of the finalists, in the session of their own"


def _again(found: str) -> str:
    return f"make all EXPERIMENT={shlex.quote(found)}"


def _funnel(result: SearchResult) -> Section:
    unit = time_unit([words.US_PER_S * step.took_s for step in result.steps])
    heads = (("What", False), ("Candidates", True), (f"Time ({unit.name})", True), ("Left out", True))
    columns = tuple(Column(label, numeric=numeric) for label, numeric in heads)
    again = Cell("the finalists again, in a session of their own"), number(len(result.finalists)), NOBODY, NOBODY
    last = Row("found", again)
    rows = (*(Row(step.name, _step(step, unit)) for step in result.steps), last)
    note = "Left out is what the budget had no time for. The last session is not part of the budget."
    table = Table("Steps", "Step", columns, rows, (note,))
    told = (f"{words.fates(result)}.", *(() if result.of_file else (sentence(words.never_trained(result)),)))
    return Section("steps", "From candidates to finalists", told, (table,))


def _step(step: Step, unit: TimeUnit) -> tuple[Cell, ...]:
    left = number(step.left_out) if step.left_out else NOBODY
    took = Cell(unit.write(words.US_PER_S * step.took_s))
    return Cell(clipped(step.what, SENTENCE)), number(len(step.candidates)), took, left


LAYERS = (
    "A separable convolution is merged into one where the target is faster with it, and a BatchNormalization is folded "
    "unless the target is slower with it. Where one was not measured alone, the network with all of them decides. "
    "Further structures begin with the fastest rewrite that was measured: of these layers, or of all."
)


def _rewritten(result: SearchResult) -> Iterator[Section]:
    rows = tuple(row for one in result.rewrites for row in _layers(one))
    if rows:
        table = Table("Layers by format", "Format and rewrite", (Column("Layers", numeric=False),), rows)
        yield Section("layers", "Layers that are rewritten", (LAYERS,), (table,))


def _layers(one: Rewrites) -> Iterator[Row]:
    every = {"merged": one.merged, "not merged": one.not_merged, "folded": one.folded, "not folded": one.not_folded}
    for word, names in every.items():
        if names:
            yield Row(f"{one.format}, {word}", (Cell(count(len(names), "layer"), clipped(listed(names), SENTENCE)),))


MIXED = (
    "Each group of neighbours is left in float32 alone, in the fastest candidate of a format that has such that was "
    "measured before. A group stays so where the target is faster with it, or less is lost and it is no slower."
)


def _mixed(result: SearchResult) -> Iterator[Section]:
    found = result.mixed
    if found is None:
        return
    what = "operator" if result.of_file else "layer"
    sides = ((FLOAT, found.in_float), (found.format, found.not_in_float))
    rows = tuple(
        Row(f"{number}", (Cell(word), Cell(count(len(group), what), clipped(listed(group), SENTENCE))))
        for number, (word, group) in enumerate(((word, group) for word, groups in sides for group in groups), start=1)
    )
    columns = Column("Better in", numeric=False), Column(f"{what.title()}s", numeric=False)
    table = Table(f"Groups of {what}s of {found.base}", "Group", columns, rows)
    yield Section("mixed", f"Number formats by {what}", (MIXED,), (table,))


def _trained(result: SearchResult) -> Iterator[Section]:
    trained = [one for one in result.outcomes if one.rungs]
    if not trained:
        return
    most = max(len(one.rungs) for one in trained)
    columns = (
        Column("Before training"),
        *(Column(f"Rung {number + 1}") for number in range(most)),
        Column("Became", numeric=False),
    )
    rows = tuple(Row(one.candidate.name, _rungs(result, one, most)) for one in trained)
    told = (
        f"Validation images lost beside the reference; a gain is negative. {percent(result.margin)} may be lost in the "
        f"end, more in the first rungs, and of each rung about half goes on."
    )
    yield Section("rungs", "Training in rungs", (told,), (Table("What was trained", "Candidate", columns, rows),))


def _rungs(result: SearchResult, one: Outcome, most: int) -> tuple[Cell, ...]:
    own = result.beside.validation
    losses = [(loss(rung.validation, own), rung.epochs) for rung in one.rungs]
    cells = [Cell(percent(share), f"after {count(epochs, 'epoch')}") for share, epochs in losses]
    before = NOBODY if one.screened is None else Cell(percent(loss(one.screened.validation, own)))
    return (before, *cells, *(NOBODY,) * (most - len(cells)), Cell(one.fate, tone=TONES.get(one.fate, "plain")))


def _predicts(result: SearchResult) -> str:
    return sentence(words.predicts(result) or "there are too few candidates to say how well the cost table predicts")


def _every(result: SearchResult) -> Table:
    sizes = [one.screened.size_bytes for one in result.outcomes if one.screened is not None]
    places = decimals([size / BYTES_PER_MB for size in sizes])
    columns = (
        Column("Fate", numeric=False),
        Column("Latency"),
        Column("Predicted", wide=True),
        Column("Size (MB)"),
        Column(words.AMOUNTS.get(result.basis, "Lost" if result.of_file else "Lost before training"), wide=True),
        Column("Recipe", numeric=False, wide=True),
    )
    rows = tuple(Row(one.candidate.name, _candidate(result, one, places), _anchor(one)) for one in result.outcomes)
    of = ", losses of the validation images" if result.basis == "accuracy" else ""
    note = f"Latencies are shares of {result.reference}'s{of}."
    return Table("Every candidate", "Candidate", columns, rows, (note,), sortable=True)


def _anchor(one: Outcome) -> str:
    """Of a candidate's own part; names hold nothing that an address does not."""
    return f"c-{one.candidate.name}"


def _ways(result: SearchResult) -> Iterator[Fold]:
    """What the row of a candidate opens to."""
    for one in result.outcomes:
        what = f"{words.network(one.candidate)}, {draw.STRUCTURES[one.candidate.kind].word}: {one.fate}"
        told = [sentence(what), *_losses(result, one), *([one.problem] if one.problem else [])]
        blocks = tuple(Prose(clipped(text, SENTENCE)) for text in told)
        yield Fold(_anchor(one), one.candidate.name, blocks)


def _losses(result: SearchResult, one: Outcome) -> Iterator[str]:
    for rung in one.rungs:
        share = loss(rung.validation, result.beside.validation)
        yield f"After {count(rung.epochs, 'epoch')}: {words.lost(share)}."


def _candidate(result: SearchResult, one: Outcome, places: int) -> tuple[Cell, ...]:
    fate = Cell(one.fate, clipped(one.problem or "", SENTENCE), TONES.get(one.fate, "plain"))
    made, screened = Cell(recipe(one)), one.screened
    if screened is None:
        return (fate, *(NOBODY,) * 4, made)
    share = loss(screened.validation, result.beside.validation)
    size = Cell(f"{screened.size_bytes / BYTES_PER_MB:.{places}f}", key=screened.size_bytes)
    return (
        fate,
        _share(screened.time),
        _share(screened.predicted),
        size,
        Cell(words.amount(share, result.basis), key=share),
        made,
    )


def _share(time: float | None) -> Cell:
    return NOBODY if time is None else Cell(decimal(time), key=time)


def _of_network(settings: Search) -> tuple[tuple[str, str], ...]:
    return ("Structures that are drawn", str(settings.drawn)), ("Trained at most", str(settings.trained))


def _settings(result: SearchResult) -> Table:
    settings, code = result.settings, result.provenance.code
    pairs: Sequence[tuple[str, str]] = (
        ("Experiment", result.provenance.experiment),
        ("Objective", settings.objective),
        (
            "Accuracy budget",
            "the tolerance" if result.basis == "agreement" else words.amount(result.margin, result.basis),
        ),
        ("Budget", settings.budget),
        ("Where latencies count", place(result.setting)),
        ("Formats", listed(settings.formats)),
        ("Rounds of a screening", str(settings.rounds)),
        *(() if result.of_file else _of_network(settings)),
        ("Seed", str(result.provenance.seed)),
        ("Code", f"{code.version}, commit {(code.commit or ABSENT)[:12]}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in result.provenance.versions.items())),
    )
    return facts("Settings of the search", "Setting", "Value", tuple(pairs))
