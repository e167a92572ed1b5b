"""What a search found, as it was chosen and as it was measured again. Pure; nothing is decided here."""

from collections.abc import Iterator

from common import search_words as words
from common.numbers import (
    ABSENT,
    count,
    megabytes,
    percent,
    speedup,
)
from common.schema.given import FromFile
from common.schema.search_result import Confirmed, Outcome, SearchResult
from jobs.report.blocks import Card, Notes, Tile, Tone
from jobs.report.document import Cell, Column, Row, Section, Table
from jobs.report.steps import quantised, steps
from jobs.report.verdicts import KEPT_TONES

NOBODY = Cell(ABSENT)


def card(result: SearchResult) -> Card:
    """What to ship, with both figures."""
    best = result.recommended
    told = tuple((one.candidate.name, _after(words.finalist(result, one))) for one in result.finalists)
    if best is None:
        of = count(len(result.finalists), "finalist")
        reason = f"Of {of} the session of its own recommends none, so nothing is better to ship."
        return Card("Nothing better was found: keep", result.reference, reason, points=told)
    keeping = best.confirmed.keeping if best.confirmed is not None else "not judged"
    points = (
        ("When chosen", sentence(words.when_chosen(result, best).removesuffix(" when it was chosen"))),
        ("In its own session", sentence(words.confirmed(result, best).replace(" in a session of its own", ""))),
        ("Which to believe", words.curse(result, best)),
    )
    reason = f"{sentence(words.network(best.candidate)).rstrip('.')}: {recipe(best)}."
    chip = (keeping, KEPT_TONES.get(keeping, "plain"))
    return Card("Ship", best.candidate.name, reason, "", "", chip, tuple(_tiles(result, best)), points)


def _after(text: str) -> str:
    return sentence(text.partition(": ")[2])


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def recipe(one: Outcome) -> str:
    """Its recipe in words."""
    made = one.candidate.recipe
    return ", ".join(quantised(made) if isinstance(made, FromFile) else steps(made))


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
        yield from _quality(result, found)
    if screened is not None:
        smaller: Tone = "better" if screened.size_bytes < result.beside.size_bytes else "plain"
        beside = f"{result.reference} {megabytes(result.beside.size_bytes)} MB"
        yield Tile("File", f"{megabytes(screened.size_bytes)} MB", "", beside, smaller)
    if not result.of_file:
        yield Tile("Never trained", percent(result.never_trained), "of the candidates that were measured")


def _quality(result: SearchResult, found: Confirmed) -> Iterator[Tile]:
    tone = KEPT_TONES.get(found.keeping, "plain")
    if found.accuracy is not None and found.reference_accuracy is not None:
        beside = f"{result.reference} {percent(found.reference_accuracy.value)}"
        note = f"{found.accuracy.successes} of {found.accuracy.total} test images right"
        yield Tile("Test accuracy", percent(found.accuracy.value), note, beside, tone)
    elif found.lost is not None:
        head = words.AMOUNTS.get(result.basis, words.IMAGES)
        note = f"{count(found.lost.samples, 'sample')} that the search had not seen"
        yield Tile(head, words.amount(found.lost.lost, result.basis), note, "", tone)


def finalists(result: SearchResult) -> Section:
    """All that were measured again."""
    lost = words.AMOUNTS.get(result.basis, words.IMAGES)
    labelled = ("Test accuracy", "Reference's") if result.basis == "accuracy" else (lost, "Samples")
    heads = (
        Column("Speed-up", "When it was chosen"),
        Column(lost, "When it was chosen"),
        Column("Speed-up", "In a session of its own"),
        *(Column(label, "In a session of its own") for label in labelled),
        Column("Accuracy" if result.basis == "accuracy" else "Quality", "In a session of its own", numeric=False),
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
    lost, found = result.loss(one), one.confirmed
    chosen = (
        NOBODY if time is None else Cell(words.times(time)),
        NOBODY if lost is None else Cell(words.amount(lost, result.basis)),
    )
    made = Cell(words.network(one.candidate))
    if found is None:
        return (*chosen, *(NOBODY,) * 4, made)
    word = Cell(found.keeping, "recommended" if found.recommended else "", KEPT_TONES.get(found.keeping, "plain"))
    ratio = NOBODY if found.ratio is None else Cell(speedup(found.ratio))
    return (*chosen, ratio, *_qualities(result, found), word, made)


def _qualities(result: SearchResult, found: Confirmed) -> tuple[Cell, Cell]:
    if found.lost is not None:
        return Cell(words.amount(found.lost.lost, result.basis)), number(found.lost.samples)
    shares = (found.accuracy, found.reference_accuracy)
    first, second = (NOBODY if share is None else Cell(percent(share.value)) for share in shares)
    return first, second


def number(value: int) -> Cell:
    """A count."""
    return Cell(f"{value:,}", key=value)
