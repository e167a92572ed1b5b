"""Speed-ups with their intervals on one logarithmic axis. Pure."""

from dataclasses import dataclass

from common.numbers import TIMES, listed, percent, speedup
from common.schema.base import Interval
from common.schema.results import Results
from common.svg.canvas import Canvas
from common.svg.scale import Log, log, tame, written
from common.svg.text import FONT_SIZE, fitted
from jobs.report.document import Chart
from jobs.report.draw.canvas import Names, both
from jobs.report.draw.standing import Kind
from jobs.report.draw.strips import AXIS, Strip, Strips
from jobs.report.names import Grid, Setting
from jobs.report.verdicts import winner

STRIP = 18.0
KINDS = {
    "faster": Kind("faster", "up", "better"),
    "slower": Kind("slower", "down", "worse"),
    "as fast": Kind("as fast", "square", "mark"),
    "not resolved": Kind("not resolved", "ring", "hollow"),
}
UNJUDGED = Kind("", "circle", "mark")
TONES = {"faster": "say-better", "slower": "say-worse"}


@dataclass(frozen=True)
class _Row:
    name: str
    ratio: Interval
    kind: Kind
    rounds: tuple[float, ...]


@dataclass(frozen=True)
class _Plot:
    rows: tuple[_Row, ...]
    # Not compared: the name and why.
    others: tuple[tuple[str, str], ...]
    floor: float | None
    reference: str
    best: str | None


def forest(results: Results, setting: Setting) -> Chart | None:
    """The speed-ups of a setting, the largest first; None where none was measured."""
    plot = _plot(results, setting)
    if plot is None:
        return None
    key = Grid(results).key(setting)
    name = "forest" if setting == Grid(results).first else f"forest-{key}"
    alt = _alt(plot, setting)
    floor = (
        ""
        if plot.floor is None
        else (f" The band is the noise floor: a file differs from itself by up to {percent(plot.floor)} here.")
    )
    caption = f"A dot is a round, a line the 95 % interval.{floor}"
    return Chart(name, alt, caption, both(lambda width: _draw(plot, width), alt), key)


def _plot(results: Results, setting: Setting) -> _Plot | None:
    grid, names = Grid(results), Names(results)
    rows, others, floors = [], [], []
    for variant in results.variants:
        latency, speed = grid.latency(variant.name, setting), grid.speed(variant.name, setting)
        if variant.name == results.reference or setting.functional_only:
            continue
        ratio = None if latency is None else latency.ratio
        if speed is not None:
            ratio = speed.ratio
            floors += [] if speed.floor is None else [speed.floor]
        if ratio is None or not min(ratio.value, ratio.low, ratio.high) > 0:
            if speed is not None and speed.obstacle is not None:
                others.append((names.of(variant.name), speed.obstacle.text))
            continue
        kind = UNJUDGED if speed is None else KINDS.get(speed.verdict, UNJUDGED)
        rounds = () if speed is None else tuple(one.value for one in speed.ratios if one.value > 0)
        rows.append(_Row(variant.name, ratio, kind, rounds))
    if not rows:
        return None
    rows.sort(key=lambda row: (-row.ratio.value, row.name))
    floor = tame(max(floors)) if floors else None
    called = tuple(_Row(names.of(row.name), row.ratio, row.kind, row.rounds) for row in rows)
    best = winner(results, setting)
    return _Plot(called, tuple(others), floor, names.of(results.reference), None if best is None else names.of(best))


def _alt(plot: _Plot, setting: Setting) -> str:
    first = plot.rows[0]
    words = []
    for word in KINDS:
        number = sum(row.kind.word == word for row in plot.rows)
        words += [f"{number} {word}"] if number else []
    counted = f" {listed(tuple(words))}." if words else ""
    return (
        f"Speed-ups over {plot.reference} on {setting.label}. Largest: {first.name}, {speedup(first.ratio)}.{counted}"
    )


def _draw(plot: _Plot, width: int) -> Canvas:
    rows = [
        Strip(row.name, f"{speedup(row.ratio)} {row.kind.word}".rstrip(), _css(plot, row.name), _tone(row.kind))
        for row in plot.rows
    ]
    strips = Strips(tuple(rows), width, STRIP)
    canvas = Canvas(width, strips.bottom + AXIS + 18 * len(plot.others))
    x = log(_held(plot), *strips.ends(), least=1.3)
    if plot.floor is not None:
        low, high = x.at(1 / (1 + plot.floor)), x.at(1 + plot.floor)
        canvas.rect(low, 0, max(1.0, high - low), strips.bottom, css="band")
    ticks = x.ticks(6)
    labels = {value: f"{text}{TIMES}" for value, text in zip(ticks, written(ticks), strict=True)}
    strips.axis(canvas, x, f"slower | speed-up over {fitted(plot.reference, width / 2 - 50)} | faster", labels)
    strips.rules(canvas, [x.at(1)], "rule")
    strips.names(canvas)
    _marks(canvas, plot, x, strips)
    for place, (name, why) in enumerate(plot.others):
        y = strips.bottom + AXIS + 18 * place + FONT_SIZE
        Strips((Strip(name, f"not compared: {why}", tone="say-problem"),), width, 0, y - FONT_SIZE).names(canvas)
    return canvas


def _css(plot: _Plot, name: str) -> str:
    return "strong" if name == plot.best else ""


def _tone(kind: Kind) -> str:
    return TONES.get(kind.word, "quiet")


def _held(plot: _Plot) -> list[float]:
    ends = [end for row in plot.rows for end in (row.ratio.low, row.ratio.high, row.ratio.value, *row.rounds)]
    return [*ends, 1.0, *([] if plot.floor is None else [1 + plot.floor, 1 / (1 + plot.floor)])]


def _marks(canvas: Canvas, plot: _Plot, x: Log, strips: Strips) -> None:
    dots: list[tuple[float, float]] = []
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for place, row in enumerate(plot.rows):
        top = strips.strip(place)
        css = f"reach {row.kind.css.replace('hollow', '')}".rstrip()
        lines.setdefault(css, []).append((x.at(row.ratio.low), top + 6, x.at(row.ratio.high), top + 6))
        dots += [(x.at(value), top + STRIP - 3) for value in row.rounds]
    for css, found in lines.items():
        canvas.segments(found, css)
    canvas.dots(dots, "")
    for place, row in enumerate(plot.rows):
        canvas.symbol(row.kind.shape, x.at(row.ratio.value), strips.strip(place) + 6, 4.5, css=row.kind.css)
