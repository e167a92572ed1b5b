"""The candidates of a search: latency against size, and latencies as they were predicted and as they were measured.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from common import search_words as words
from common.numbers import BYTES_PER_MB, clipped, count, decimal, listed, megabytes
from common.schema.search_result import Fate, Outcome, Screened, SearchResult, loss
from common.schema.search_result import Kind as Structure
from common.svg.canvas import Canvas, x_axis, y_axis
from common.svg.scale import Log, log
from common.svg.text import FONT_SIZE, fitted
from jobs.report.document import Chart
from jobs.report.draw.canvas import NAME_LENGTH, NARROW, both
from jobs.report.draw.labels import Box, Wanted, called, mark_box
from jobs.report.draw.points import Point, Value, front
from jobs.report.draw.standing import REFERENCE, Kind, legend, legend_height
from jobs.report.draw.tradeoff import AXIS, LEFT, TOP, staircase

RIGHT = 12
HEIGHT, LOW = 320, 250
RADIUS, RADIUS_FINALIST = 4.0, 6.0
# Their shapes say what became of candidates, their colours what they are. Those of which the file is as it is shipped
# are filled.
FATES: dict[Fate, Kind] = {
    "finalist": Kind("finalist", "star", "mark"),
    "beaten by a finalist": Kind("beaten by a finalist", "up", "mark"),
    "lost accuracy": Kind("lost accuracy", "down", "mark"),
    "beaten in training": Kind("beaten in training", "diamond", "mark"),
    "beaten before training": Kind("beaten before training", "ring", "hollow"),
    "failed": Kind("failed", "cross", "crossed"),
}
STRUCTURES: dict[Structure, Kind] = {
    "rewrite": Kind("rewritten", "circle", "kind-0"),
    "quantised": Kind("quantised", "circle", "kind-0"),
    "mixed": Kind("some layers in float32", "circle", "kind-5"),
    "factorized": Kind("thinner kernels", "circle", "kind-1"),
    "drawn": Kind("ranks that were drawn", "circle", "kind-3"),
    "sparse": Kind("zeros that are not stored", "circle", "kind-2"),
    "student": Kind("student", "circle", "kind-4"),
}
# What keeps the margin as it is in the end.
KEEP: tuple[Fate, ...] = ("finalist", "beaten by a finalist")
LEAST = 2


@dataclass(frozen=True)
class _Mark:
    outcome: Outcome
    screened: Screened
    time: float

    @property
    def name(self) -> str:
        return clipped(self.outcome.candidate.name, NAME_LENGTH)

    @property
    def finalist(self) -> bool:
        return self.outcome.fate == "finalist"

    @property
    def colour(self) -> str:
        """The class of its colour, of an outline where it is hollow."""
        css = STRUCTURES[self.outcome.candidate.kind].css
        return f"course {css}" if FATES[self.outcome.fate].shape in {"ring", "cross"} else css


@dataclass(frozen=True)
class _Plot:
    result: SearchResult

    @cached_property
    def marks(self) -> tuple[_Mark, ...]:
        """All that were measured, the finalists last, so that nothing hides them."""
        found = [
            _Mark(one, one.screened, one.screened.time)
            for one in self.result.outcomes
            if one.screened is not None and one.screened.time is not None and one.fate in FATES
        ]
        return tuple(sorted(found, key=lambda mark: mark.finalist))

    @cached_property
    def front(self) -> tuple[Point, ...]:
        """The Pareto line of what keeps the margin, the reference among them."""
        kept = [Point(self.result.reference, 1.0, _size(self.result.beside), self.result.beside.size_bytes)]
        kept += [
            Point(mark.name, mark.time, _size(mark.screened), mark.screened.size_bytes)
            for mark in self.marks
            if mark.outcome.fate in KEEP
        ]
        return front(tuple(kept), lambda point: -point.y.value)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """What the legend explains: colours, then shapes."""
        structures = {mark.outcome.candidate.kind for mark in self.marks}
        fates = {mark.outcome.fate for mark in self.marks}
        colours = (kind for name, kind in STRUCTURES.items() if name in structures)
        return (*colours, REFERENCE, *(kind for name, kind in FATES.items() if name in fates))


def _size(found: Screened) -> Value:
    """In MB; what has no bytes stands at the lower end of the axis."""
    size = max(1, found.size_bytes) / BYTES_PER_MB
    return Value(size, size, size)


def candidates(result: SearchResult) -> Chart | None:
    """Latency as a share of the reference's against size; None where nothing was measured."""
    plot = _Plot(result)
    if not plot.marks:
        return None
    finalists = listed(tuple(f"{mark.name} ({words.times(mark.time)})" for mark in plot.marks if mark.finalist))
    line = listed(tuple(point.name for point in plot.front[:4]))
    alt = (
        f"{count(len(plot.marks), 'candidate')} by latency and size. Finalists: {finalists or 'none'}. On the Pareto "
        f"line of what keeps the margin: {line}."
    )
    away = len(result.outcomes) - len(plot.marks)
    caption = (
        f"Every candidate as it was measured{'' if result.of_file else ' before any training'}, both axes logarithmic: "
        "down and to the left is better. Colours say what a candidate is, shapes what became of it. Dashed: the Pareto "
        "line of what keeps the accuracy budget."
    ) + (f" {count(away, 'candidate')} without a latency {'is' if away == 1 else 'are'} not drawn." if away else "")
    return Chart("candidates", alt, caption, both(lambda width: _draw(plot, width), alt))


def _draw(plot: _Plot, width: int) -> Canvas:
    inner = LOW if width == NARROW else HEIGHT
    bottom = TOP + inner
    canvas = Canvas(width, bottom + AXIS + legend_height([kind.word for kind in plot.kinds], width))
    x = log([1.0, *(mark.time for mark in plot.marks)], LEFT, width - RIGHT, least=1.6)
    sizes = [_size(plot.result.beside).value, *(_size(mark.screened).value for mark in plot.marks)]
    y = log(sizes, bottom, TOP + 8, least=1.6)
    canvas.text(0, FONT_SIZE, "file size (MB)", "quiet")
    y_axis(canvas, y, LEFT, width - RIGHT)
    x_axis(canvas, x, TOP, bottom, title="latency as a share of the reference's")
    line = [(x.at(point.x), y.at(point.y.value)) for point in plot.front]
    # To the edges: one point is a line, too.
    lines = staircase(canvas, [(line[0][0], TOP), *line, (width - RIGHT, line[-1][1])])
    at = x.at(1.0), y.at(_size(plot.result.beside).value)
    canvas.symbol(REFERENCE.shape, *at, RADIUS_FINALIST, css=REFERENCE.css, title=_of_reference(plot.result))
    places = [(x.at(mark.time), y.at(_size(mark.screened).value)) for mark in plot.marks]
    wanted = [Wanted(*at, RADIUS_FINALIST, _fitting(plot.result.reference, x))]
    for mark, place in zip(plot.marks, places, strict=True):
        radius = RADIUS_FINALIST if mark.finalist else RADIUS
        shape = FATES[mark.outcome.fate].shape
        canvas.symbol(shape, *place, radius, css=mark.colour, title=_told(plot.result, mark))
        if mark.finalist:
            strong = mark.outcome.confirmed is not None and mark.outcome.confirmed.recommended
            wanted.insert(0 if strong else -1, Wanted(*place, radius, _fitting(mark.name, x), strong))
    boxes = [mark_box(*at, RADIUS_FINALIST), *(mark_box(*place, RADIUS) for place in places)]
    called(canvas, wanted, boxes, Box(LEFT + 2, TOP - 2, width, bottom - 2), lines)
    legend(canvas, plot.kinds, bottom + AXIS)
    return canvas


def _fitting(name: str, x: Log) -> str:
    return fitted(clipped(name, NAME_LENGTH), 0.55 * (x.end - x.start))


def _of_reference(result: SearchResult) -> str:
    return f"{clipped(result.reference, NAME_LENGTH)}: the reference, file {megabytes(result.beside.size_bytes)} MB"


def _told(result: SearchResult, mark: _Mark) -> str:
    """What a hover says."""
    lost = words.lost(loss(mark.screened.validation, result.beside.validation), result.basis)
    share = f"{decimal(mark.time)} of the reference's latency"
    size = f"file {megabytes(mark.screened.size_bytes)} MB"
    return f"{mark.name}: {share}, {size}, {lost}{'' if result.of_file else ' before training'}; {mark.outcome.fate}"


@dataclass(frozen=True)
class _Pair:
    name: str
    predicted: float
    measured: float


def predictions(result: SearchResult) -> Chart | None:
    """Latencies as the cost table told them before they were measured; None where it told less than two."""
    found = [
        _Pair(clipped(one.candidate.name, NAME_LENGTH), one.screened.predicted, one.screened.time)
        for one in result.outcomes
        if one.screened is not None and one.screened.predicted is not None and one.screened.time is not None
    ]
    if len(found) < LEAST:
        return None
    under = sum(pair.predicted < pair.measured for pair in found)
    alt = f"{len(found)} latencies as predicted and as measured: {under} took longer than predicted."
    caption = (
        "Latency as a share of the reference's, predicted from the candidates of the steps before and then measured, "
        "both logarithmic. On the line both are the same; above it the candidate took longer than predicted."
    )
    return Chart("predictions", alt, caption, both(lambda width: _pairs(found, width), alt))


def _pairs(found: Sequence[_Pair], width: int) -> Canvas:
    bottom = TOP + (LOW if width == NARROW else HEIGHT)
    canvas = Canvas(width, bottom + AXIS)
    values = [value for pair in found for value in (pair.predicted, pair.measured)]
    x, y = log(values, LEFT, width - RIGHT, least=1.6), log(values, bottom, TOP + 8, least=1.6)
    canvas.text(0, FONT_SIZE, "measured latency, share of the reference's", "quiet")
    y_axis(canvas, y, LEFT, width - RIGHT)
    x_axis(canvas, x, TOP, bottom, title="predicted")
    canvas.polyline([(x.start, y.start), (x.end, y.end)], "front")
    for pair in found:
        told = f"{pair.name}: {decimal(pair.predicted)} predicted, {decimal(pair.measured)} measured"
        canvas.symbol("circle", x.at(pair.predicted), y.at(pair.measured), RADIUS, css="best", title=told)
    return canvas
