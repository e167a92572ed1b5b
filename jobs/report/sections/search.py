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
    megabytes,
    percent,
    speedup,
    time_unit,
)
from common.schema.search_result import Fate, Outcome, Rewrites, SearchResult, Step
from jobs.report.blocks import Card, Commands, Link, Notes, Prose, Tile, Tone
from jobs.report.document import Cell, Column, Document, File, Fold, Row, Section, Table, drawn, facts
from jobs.report.draw import search as draw
from jobs.report.draw.canvas import standalone
from jobs.report.steps import steps
from jobs.report.verdicts import KEPT_TONES

# The finalists' experiment and the report of their own run, beside the artifact.
FOUND, REPORT = "found.toml", "found/report/report.html"
SENTENCE = 400
FLOAT = "float32"
TONES: dict[Fate, Tone] = {"finalist": "better", "failed": "problem", "lost accuracy": "worse"}
NOBODY = Cell(ABSENT)


def document(result: SearchResult, found: str) -> Document:
    """The whole page; `found` is the path of the finalists' experiment."""
    charts, predicted = drawn(draw.candidates(result)), drawn(draw.predictions(result))
    sections = (
        Section("decision", "What to ship", (), (_card(result),)),
        _finalists(result),
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


def _card(result: SearchResult) -> Card:
    best = result.recommended
    told = tuple((one.candidate.name, _after(words.finalist(result, one))) for one in result.finalists)
    if best is None:
        number = count(len(result.finalists), "finalist")
        reason = f"Of {number} the session of its own recommends none, so nothing is better to ship."
        return Card("Nothing better was found: keep", result.reference, reason, points=told)
    keeping = best.confirmed.keeping if best.confirmed is not None else "not judged"
    points = (
        ("When chosen", _sentence(words.when_chosen(result, best).removesuffix(" when it was chosen"))),
        ("In its own session", _sentence(words.confirmed(best).replace(" in a session of its own", ""))),
        ("Which to believe", words.curse(result, best)),
    )
    reason = f"{_sentence(words.network(best.candidate)).rstrip('.')}: {recipe(best)}."
    chip = (keeping, KEPT_TONES.get(keeping, "plain"))
    return Card("Ship", best.candidate.name, reason, "", "", chip, tuple(_tiles(result, best)), points)


def _after(text: str) -> str:
    return _sentence(text.partition(": ")[2])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def recipe(one: Outcome) -> str:
    """Its recipe in words."""
    return ", ".join(steps(one.candidate.recipe))


SPEEDUP = "Speed-up in its own session"


def _tiles(result: SearchResult, best: Outcome) -> Iterator[Tile]:
    found, screened = best.confirmed, best.screened
    time = None if screened is None else screened.time
    chosen = "" if time is None else f"{words.times(time)} when chosen"
    ratio = None if found is None else found.ratio
    if ratio is None:
        yield Tile(SPEEDUP, "not compared", "", chosen, "problem")
    else:
        value, _, ends = speedup(ratio).partition(" ")
        tone: Tone = "better" if ratio.low > 1 else "worse" if ratio.high < 1 else "plain"
        yield Tile(SPEEDUP, value, ends.strip("()"), chosen, tone)
    if found is not None:
        beside = f"{result.reference} {percent(found.reference_accuracy.value)}"
        note = f"{found.accuracy.successes} of {found.accuracy.total} test images right"
        tone = KEPT_TONES.get(found.keeping, "plain")
        yield Tile("Test accuracy", percent(found.accuracy.value), note, beside, tone)
    if screened is not None:
        smaller: Tone = "better" if screened.size_bytes < result.beside.size_bytes else "plain"
        beside = f"{result.reference} {megabytes(result.beside.size_bytes)} MB"
        yield Tile("File", f"{megabytes(screened.size_bytes)} MB", "", beside, smaller)
    yield Tile("Never trained", percent(result.never_trained), "of the candidates that were measured")


def _finalists(result: SearchResult) -> Section:
    heads = (
        Column("Speed-up", "When it was chosen"),
        Column("Validation images lost", "When it was chosen"),
        Column("Speed-up", "In a session of its own"),
        Column("Test accuracy", "In a session of its own"),
        Column("Reference's", "In a session of its own"),
        Column("Accuracy", "In a session of its own", numeric=False),
        Column("Network", numeric=False),
    )
    rows = tuple(Row(one.candidate.name, _finalist(result, one)) for one in result.finalists)
    name = "Finalists, as they were chosen and as they were measured again"
    table = Table(name, "Finalist", heads, rows, words.passed_over(result))
    best = next(iter(result.finalists), None)
    told = (words.curse(result, best),) if best is not None and result.recommended is None else ()
    recipes = Notes("Their recipes", tuple(f"{one.candidate.name}: {recipe(one)}" for one in result.finalists))
    return Section("finalists", "Finalists", told, (table, recipes))


def _finalist(result: SearchResult, one: Outcome) -> tuple[Cell, ...]:
    time = None if one.screened is None else one.screened.time
    loss, found = result.loss(one), one.confirmed
    chosen = (
        NOBODY if time is None else Cell(words.times(time)),
        NOBODY if loss is None else Cell(percent(loss)),
    )
    made = Cell(words.network(one.candidate))
    if found is None:
        return (*chosen, *(NOBODY,) * 4, made)
    word = Cell(found.keeping, "recommended" if found.recommended else "", KEPT_TONES.get(found.keeping, "plain"))
    accuracies = (Cell(percent(share.value)) for share in (found.accuracy, found.reference_accuracy))
    return (*chosen, NOBODY if found.ratio is None else Cell(speedup(found.ratio)), *accuracies, word, made)


def _funnel(result: SearchResult) -> Section:
    unit = time_unit([words.US_PER_S * step.took_s for step in result.steps])
    heads = (("What", False), ("Candidates", True), (f"Time ({unit.name})", True), ("Left out", True))
    columns = tuple(Column(label, numeric=numeric) for label, numeric in heads)
    again = Cell("the finalists again, in a session of their own"), _number(len(result.finalists)), NOBODY, NOBODY
    last = Row("found", again)
    rows = (*(Row(step.name, _step(step, unit)) for step in result.steps), last)
    note = "Left out is what the budget had no time for. The last session is not part of the budget."
    table = Table("Steps", "Step", columns, rows, (note,))
    told = (f"{words.fates(result)}.", _sentence(words.never_trained(result)))
    return Section("steps", "From candidates to finalists", told, (table,))


def _step(step: Step, unit: TimeUnit) -> tuple[Cell, ...]:
    left = _number(step.left_out) if step.left_out else NOBODY
    took = Cell(unit.write(words.US_PER_S * step.took_s))
    return Cell(clipped(step.what, SENTENCE)), _number(len(step.candidates)), took, left


def _number(number: int) -> Cell:
    return Cell(f"{number:,}", key=number)


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
    "Each group of neighbouring layers is left in float32 alone, in the fastest network of this format that was "
    "measured before. A group stays so where the target is faster with it, or fewer images are lost and it is no "
    "slower."
)


def _mixed(result: SearchResult) -> Iterator[Section]:
    found = result.mixed
    if found is None:
        return
    sides = ((FLOAT, found.in_float), (found.format, found.not_in_float))
    rows = tuple(
        Row(f"{number}", (Cell(word), Cell(count(len(group), "layer"), clipped(listed(group), SENTENCE))))
        for number, (word, group) in enumerate(((word, group) for word, groups in sides for group in groups), start=1)
    )
    columns = Column("Better in", numeric=False), Column("Layers", numeric=False)
    table = Table(f"Groups of layers of {found.base}", "Group", columns, rows)
    yield Section("mixed", "Number formats by layer", (MIXED,), (table,))


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
    losses = [(rung.validation.loss(own), rung.epochs) for rung in one.rungs]
    cells = [Cell(percent(loss), f"after {count(epochs, 'epoch')}") for loss, epochs in losses]
    before = NOBODY if one.screened is None else Cell(percent(one.screened.validation.loss(own)))
    return (before, *cells, *(NOBODY,) * (most - len(cells)), Cell(one.fate, tone=TONES.get(one.fate, "plain")))


def _predicts(result: SearchResult) -> str:
    return _sentence(words.predicts(result) or "there are too few candidates to say how well the cost table predicts")


def _every(result: SearchResult) -> Table:
    sizes = [one.screened.size_bytes for one in result.outcomes if one.screened is not None]
    places = decimals([size / BYTES_PER_MB for size in sizes])
    columns = (
        Column("Fate", numeric=False),
        Column("Latency"),
        Column("Predicted", wide=True),
        Column("Size (MB)"),
        Column("Lost before training", wide=True),
        Column("Recipe", numeric=False, wide=True),
    )
    rows = tuple(Row(one.candidate.name, _candidate(result, one, places), _anchor(one)) for one in result.outcomes)
    note = f"Latencies are shares of {result.reference}'s, losses of the validation images."
    return Table("Every candidate", "Candidate", columns, rows, (note,), sortable=True)


def _anchor(one: Outcome) -> str:
    """Of a candidate's own part; names hold nothing that an address does not."""
    return f"c-{one.candidate.name}"


def _ways(result: SearchResult) -> Iterator[Fold]:
    """What the row of a candidate opens to."""
    for one in result.outcomes:
        what = f"{words.network(one.candidate)}, {draw.STRUCTURES[one.candidate.kind].word}: {one.fate}"
        told = [_sentence(what), *_losses(result, one), *([one.problem] if one.problem else [])]
        blocks = tuple(Prose(clipped(text, SENTENCE)) for text in told)
        yield Fold(_anchor(one), one.candidate.name, blocks)


def _losses(result: SearchResult, one: Outcome) -> Iterator[str]:
    for rung in one.rungs:
        loss = rung.validation.loss(result.beside.validation)
        yield f"After {count(rung.epochs, 'epoch')}: {words.lost(loss)}."


def _candidate(result: SearchResult, one: Outcome, places: int) -> tuple[Cell, ...]:
    fate = Cell(one.fate, clipped(one.problem or "", SENTENCE), TONES.get(one.fate, "plain"))
    made, screened = Cell(recipe(one)), one.screened
    if screened is None:
        return (fate, *(NOBODY,) * 4, made)
    loss = screened.validation.loss(result.beside.validation)
    size = Cell(f"{screened.size_bytes / BYTES_PER_MB:.{places}f}", key=screened.size_bytes)
    return fate, _share(screened.time), _share(screened.predicted), size, Cell(percent(loss), key=loss), made


def _share(time: float | None) -> Cell:
    return NOBODY if time is None else Cell(decimal(time), key=time)


def _settings(result: SearchResult) -> Table:
    settings, code = result.settings, result.provenance.code
    pairs: Sequence[tuple[str, str]] = (
        ("Experiment", result.provenance.experiment),
        ("Objective", settings.objective),
        ("Accuracy budget", percent(result.margin)),
        ("Budget", settings.budget),
        ("Where latencies count", place(result.setting)),
        ("Formats", listed(settings.formats)),
        ("Rounds of a screening", str(settings.rounds)),
        ("Structures that are drawn", str(settings.drawn)),
        ("Trained at most", str(settings.trained)),
        ("Seed", str(result.provenance.seed)),
        ("Code", f"{code.version}, commit {(code.commit or ABSENT)[:12]}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in result.provenance.versions.items())),
    )
    return facts("Settings of the search", "Setting", "Value", tuple(pairs))
