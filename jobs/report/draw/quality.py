"""What changes in the answers: images won and lost, recall by class, confusion. Pure."""

from dataclasses import dataclass

from common.numbers import clipped, count
from common.printable import clean
from common.schema.evaluation import Evaluation
from common.schema.results import Results
from common.svg.canvas import Canvas
from common.svg.scale import linear
from common.svg.text import FONT_SIZE, LINE, fitted
from jobs.report.document import Chart
from jobs.report.draw.canvas import NARROW, Names, both
from jobs.report.draw.standing import BEST, REFERENCE
from jobs.report.draw.strips import AXIS, Strip, Strips

BAR = 14.0
MOST_CLASSES, MOST_IN_MATRIX = 20, 8
CLASS_LENGTH = 40
SIGNS = {"shown to keep": "say-better", "shown to lose": "say-worse"}


@dataclass(frozen=True)
class _Counts:
    name: str
    won: int
    lost: int
    word: str


def won_lost(results: Results) -> Chart | None:
    """Images that one of variant and reference alone gets right; None without such counts."""
    rows = _counts(results)
    if not any(row.won or row.lost for row in rows):
        return None
    reference = Names(results).of(results.reference)
    most = max(rows, key=lambda row: row.lost)
    alt = (
        f"Images won and lost by {count(len(rows), 'variant')} beside {reference}. "
        f"{most.name} loses most: {most.lost}, and wins {most.won}."
    )
    caption = f"Left: images that only {reference} gets right. Right: images that only the variant gets right."
    return Chart("won-lost", alt, caption, both(lambda width: _won_lost(rows, width), alt))


def _counts(results: Results) -> tuple[_Counts, ...]:
    names = Names(results)
    judgement = None if results.choice is None else results.choice.judgement
    words = {} if judgement is None else {found.variant: found.accuracy for found in judgement.variants}
    flips = {found.variant: (found.won, found.lost) for found in results.flips}
    for evaluation in results.evaluations:
        test = evaluation.mcnemar
        if test is not None:
            flips.setdefault(evaluation.variant, (test.only_variant_right, test.only_reference_right))
    return tuple(
        _Counts(names.of(variant.name), *flips[variant.name], words.get(variant.name, ""))
        for variant in results.variants
        if variant.name in flips and variant.name != results.reference
    )


def _won_lost(rows: tuple[_Counts, ...], width: int) -> Canvas:
    strips = Strips(
        tuple(
            Strip(
                row.name, f"won {row.won}, lost {row.lost}{f', {row.word}' if row.word else ''}", tone=_tone(row.word)
            )
            for row in rows
        ),
        width,
        BAR,
    )
    canvas = Canvas(width, strips.bottom + AXIS)
    ends = [float(end) for row in rows for end in (row.won, -row.lost)]
    x = linear(ends, *strips.ends(), zero=True)
    whole = {tick: f"{abs(tick):g}" for tick in x.ticks(6) if tick == int(tick)}
    strips.axis(canvas, x, "lost | images | won", whole)
    for place, row in enumerate(rows):
        top, zero = strips.strip(place), x.at(0)
        canvas.rect(x.at(-row.lost), top, zero - x.at(-row.lost), BAR, css="worse")
        canvas.rect(zero, top, x.at(row.won) - zero, BAR, css="better")
    strips.rules(canvas, [x.at(0)], "rule")
    strips.names(canvas)
    return canvas


def _tone(word: str) -> str:
    return SIGNS.get(word, "quiet")


@dataclass(frozen=True)
class _Pair:
    """The reference's evaluation and that of the variant that stands beside it."""

    reference: Evaluation
    variant: Evaluation
    reference_name: str
    variant_name: str


def _pair(results: Results) -> _Pair | None:
    """The recommended variant, or the runner-up where the reference is recommended."""
    choice = results.choice
    if choice is None:
        return None
    runner = None if choice.runner_up is None else choice.runner_up.name
    name = runner if choice.best in {None, results.reference} else choice.best
    found = {e.variant: e for e in results.evaluations}
    own, other = found.get(results.reference), None if name is None else found.get(name)
    if own is None or other is None or own.classes != other.classes or name is None or own is other:
        return None
    names = Names(results)
    return _Pair(own, other, names.of(results.reference), names.of(name))


def recalls(results: Results) -> Chart | None:
    """The recommended variant's change of recall by class, the largest loss first; None where no variant is
    recommended, nor one the next best."""
    pair = _pair(results)
    rows = [] if pair is None else _recalls(pair)
    if pair is None or not rows:
        return None
    shown = tuple(rows[:MOST_CLASSES])
    name, change = rows[0][0], rows[0][2] - rows[0][1]
    lost = f"Largest loss: {name}, {_points(change)}." if change < 0 else "No class loses."
    alt = f"Recall by class of {pair.variant_name} beside {pair.reference_name}. {lost}"
    left = len(rows) - len(shown)
    more = f" {count(left, 'class', 'classes')} that lost less are left out." if left else ""
    caption = f"Square: {pair.reference_name}. Star: {pair.variant_name}. From right to left is a loss.{more}"
    return Chart("recalls", alt, caption, both(lambda width: _draw_recalls(shown, width), alt))


def _recalls(pair: _Pair) -> list[tuple[str, float, float]]:
    before = {score.name: score.recall for score in pair.reference.per_class}
    rows = []
    for score in pair.variant.per_class:
        old = before.get(score.name)
        if old is not None and score.recall is not None:
            rows.append((clipped(clean(score.name), CLASS_LENGTH), 100 * old, 100 * score.recall))
    return sorted(rows, key=lambda row: (row[2] - row[1], row[0]))


def _points(change: float) -> str:
    return f"{change:+.1f} points"


def _draw_recalls(rows: tuple[tuple[str, float, float], ...], width: int) -> Canvas:
    named = tuple(
        Strip(name, f"{old:.1f} % to {new:.1f} %, {_points(new - old)}", tone=_direction(new - old))
        for name, old, new in rows
    )
    strips = Strips(named, width, BAR)
    canvas = Canvas(width, strips.bottom + AXIS)
    x = linear([value for _, *values in rows for value in values], *strips.ends())
    strips.axis(canvas, x, "recall (%)", {tick: f"{tick:g}" for tick in x.ticks(6) if 0 <= tick <= 100})  # noqa: PLR2004
    strips.names(canvas)
    for place, (name, old, new) in enumerate(rows):
        y = strips.strip(place) + BAR / 2
        canvas.line(
            x.at(old), y, x.at(new), y, css=f"reach {'worse' if new < old else 'better' * (new > old)}".rstrip()
        )
        canvas.symbol("square", x.at(old), y, 5, css=REFERENCE.css)
        canvas.symbol("star", x.at(new), y, 5, css=BEST.css, title=f"{name}: {_points(new - old)}")
    return canvas


def _direction(change: float) -> str:
    return "say-worse" if change < 0 else "say-better" if change > 0 else "quiet"


def confusion(results: Results) -> Chart | None:
    """The recommended variant's confusion less the reference's; None as above, and where nothing differs."""
    pair = _pair(results)
    if pair is None:
        return None
    old, new = pair.reference.confusion, pair.variant.confusion
    change = [[b - a for a, b in zip(*rows, strict=True)] for rows in zip(old, new, strict=True)]
    if not any(any(row) for row in change):
        return None
    size = len(change)
    moved = [sum(map(abs, change[i])) + sum(abs(row[i]) for row in change) for i in range(size)]
    kept = sorted(sorted(range(size), key=lambda i: (-moved[i], i))[:MOST_IN_MATRIX])
    classes = [clipped(clean(pair.variant.classes[i]), CLASS_LENGTH) for i in kept]
    cells = [[change[i][j] for j in kept] for i in kept]
    wrong = [(cells[i][j], i, j) for i in range(len(kept)) for j in range(len(kept)) if i != j]
    most, i, j = max(wrong, default=(0, 0, 0), key=lambda cell: (cell[0], -cell[1], -cell[2]))
    told = f" Most: {most:+d} of {classes[i]} taken for {classes[j]}." if most > 0 else " No mistake is more frequent."
    alt = f"Confusion of {pair.variant_name} less that of {pair.reference_name}.{told}"
    left = f" The {len(kept)} of {size} classes with the largest changes." if len(kept) < size else ""
    caption = f"Images more or fewer than with {pair.reference_name}; the diagonal are right answers.{left}"
    return Chart("confusion", alt, caption, both(lambda width: _matrix(classes, cells, width), alt))


def _matrix(classes: list[str], cells: list[list[int]], width: int) -> Canvas:
    """A row of numbered classes each, whose numbers stand above the columns."""
    size = len(classes)
    left = 120.0 if width == NARROW else 180.0
    side = min(56.0, (width - left) / size)
    top = 2 * LINE + 4
    canvas = Canvas(width, top + size * 30)
    canvas.text(left, FONT_SIZE, "taken for", "quiet")
    for j in range(size):
        middle = left + (j + 0.5) * side
        text = fitted(classes[j], side - 4) if size * 60 < width - left else f"{j + 1}"
        canvas.text(middle, top - 6, text, "quiet", "middle")
    for i in range(size):
        y = top + i * 30
        canvas.text(0, y + 19, fitted(f"{i + 1}. {classes[i]}", left - 6))
        for j in range(size):
            _cell(
                canvas,
                (left + j * side, y, side),
                cells[i][j],
                right=i == j,
                told=f"{classes[i]} taken for {classes[j]}",
            )
    return canvas


def _cell(canvas: Canvas, place: tuple[float, float, float], value: int, *, right: bool, told: str) -> None:
    x, y, side = place
    good = value > 0 if right else value < 0
    css = "band" if value == 0 else "better" if good else "worse"
    canvas.rect(x + 1, y + 1, side - 2, 28, css=css, title=f"{told}: {value:+d}")
    if value:
        canvas.text(x + side / 2, y + 19, fitted(f"{value:+d}", side - 2), "on", "middle")
