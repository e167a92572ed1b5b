"""Latency, download size or memory against quality. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from common.numbers import duration, listed, megabytes, time_unit
from common.schema.results import Results
from common.svg.canvas import Canvas, x_axis, y_axis
from common.svg.scale import Linear, Log, linear, log
from common.svg.text import FONT_SIZE, fitted
from jobs.report.document import Chart
from jobs.report.draw.canvas import NARROW, Names, both
from jobs.report.draw.labels import Box, Wanted, called, line_box, mark_box
from jobs.report.draw.points import Point, Quality, View, front, points, quality
from jobs.report.draw.standing import BEST, ORDER, RULED_OUT, Kind, kinds, legend, legend_height
from jobs.report.names import Grid, Setting

LEFT, TOP, AXIS = 44, 24, 44
SMALLEST, LARGEST = 4.0, 10.0
# Pixels; points that are nearer are one mark.
SAME = 3.0
TITLES = {"latency": "latency", "download": "download, compressed (MB)", "memory": "memory that the model adds (MiB)"}
WORDS = {"latency": "Latency", "download": "Download size", "memory": "Memory"}


@dataclass(frozen=True)
class _Plot:
    """What is drawn: points, what they are called, and what the choice says of them."""

    found: tuple[Point, ...]
    by: View
    quality: Quality | None
    names: Names
    kinds: dict[str, Kind]

    @property
    def front(self) -> tuple[Point, ...]:
        """The Pareto line, of all that are results."""
        sound = tuple(point for point in self.found if self.kinds[point.name] is not RULED_OUT)
        return front(sound, (lambda p: p.y.value) if self.quality is not None else (lambda p: -p.y.value))

    @property
    def used(self) -> tuple[Kind, ...]:
        """The kinds that the legend explains."""
        present = {self.kinds[point.name] for point in self.found}
        return tuple(kind for kind in ORDER if kind in present)

    def cost(self, point: Point) -> str:
        """The cost in words."""
        return (
            duration(point.x) if self.by == "latency" else f"{point.x:.3g} {'MB' if self.by == 'download' else 'MiB'}"
        )

    def told(self, point: Point) -> str:
        """What a hover says."""
        y = point.y
        figure = "" if self.quality is None else f", {self.quality.word} {y.value:.4g} ({y.low:.4g} to {y.high:.4g})"
        size = f"file {megabytes(point.size_bytes)} MB"
        return f"{self.names.of(point.name)}: {self.cost(point)}{figure}, {size}; {self.kinds[point.name].word}"


def tradeoff(results: Results, setting: Setting, by: View) -> Chart | None:
    """What each variant costs against how good its answers are, or against its size where nothing stands for quality;
    None where there is nothing to draw."""
    known = quality(results)
    if (setting.functional_only and by != "download") or (known is None and by != "latency"):
        return None
    found = points(results, setting, by, known)
    if not found:
        return None
    plot = _Plot(found, by, known, Names(results), kinds(results, setting))
    alt = _alt(plot, setting)
    first = setting == Grid(results).first and by == "latency"
    key = Grid(results).key(setting)
    name = "tradeoff" if first else f"tradeoff-{key}-{by}"
    return Chart(name, alt, _caption(plot), both(lambda width: _draw(plot, width), alt), key, by)


def _alt(plot: _Plot, setting: Setting) -> str:
    against = "file size" if plot.quality is None else plot.quality.word
    words = []
    for kind in plot.used:
        inside = [plot.names.of(p.name) for p in plot.found if plot.kinds[p.name] is kind]
        words.append(f"{kind.word}: {listed(tuple(inside[:3]))}{f' and {len(inside) - 3} more' * (len(inside) > 3)}")  # noqa: PLR2004
    line = listed(tuple(plot.names.of(p.name) for p in plot.front[:4]))
    return f"{WORDS[plot.by]} against {against} on {setting.label}. {'; '.join(words)}. On the Pareto line: {line}."


def _caption(plot: _Plot) -> str:
    if plot.quality is None:
        return "Latency and file size, both logarithmic; down and to the left is better. Dashed: the Pareto line."
    shaded = "" if plot.quality.limit is None else f" Shaded: beyond the {plot.quality.word} budget."
    return (
        f"Up and to the left is better; the cost is logarithmic. Upright lines are 95 % intervals, areas the sizes of "
        f"the files. Dashed: the Pareto line.{shaded}"
    )


def _draw(plot: _Plot, width: int) -> Canvas:
    below = legend_height([kind.word for kind in plot.used], width)
    inner = 250 if width == NARROW else 320
    canvas = Canvas(width, TOP + inner + AXIS + below)
    bottom = TOP + inner
    x, y = _scales(plot, (LEFT, width - 12), (bottom, TOP + 8))
    if plot.quality is not None and plot.quality.limit is not None and plot.quality.limit > y.low:
        edge = y.at(plot.quality.limit)
        canvas.rect(LEFT, edge, width - 12 - LEFT, bottom - edge, css="beyond")
    _axes(canvas, plot, x, y, bottom)
    lines = staircase(canvas, [(x.at(point.x), y.at(point.y.value)) for point in plot.front])
    marks = _marks(plot, x, y)
    lines += _reaches(canvas, plot, marks, y)
    _labels(canvas, plot, marks, Box(LEFT + 2, TOP - 2, width, bottom - 2), lines)
    _symbols(canvas, plot, marks)
    legend(canvas, plot.used, bottom + AXIS)
    return canvas


def _scales(plot: _Plot, across: tuple[float, float], up: tuple[float, float]) -> tuple[Log, Linear | Log]:
    x = log([point.x for point in plot.found], *across, least=1.6)
    if plot.quality is None:
        return x, log([point.y.value for point in plot.found], *up, least=1.6)
    ends = [end for point in plot.found for end in (point.y.low, point.y.high)]
    held = [*ends, *([] if plot.quality.limit is None else [plot.quality.limit])]
    return x, linear(held, *up, room=0.06)


def _axes(canvas: Canvas, plot: _Plot, x: Log, y: Linear | Log, bottom: float) -> None:
    y_axis(canvas, y, LEFT, x.end)
    title = "file size (MB)" if plot.quality is None else plot.quality.title
    canvas.text(0, FONT_SIZE, fitted(title, canvas.width), "quiet")
    if plot.by != "latency":
        x_axis(canvas, x, TOP, bottom, title=TITLES[plot.by])
        return
    unit = time_unit([point.x for point in plot.found])
    scaled = Log(max(x.low / unit.us, 1e-307), x.high / unit.us, x.start, x.end)
    x_axis(canvas, scaled, TOP, bottom, title=f"latency ({unit.name})")


def staircase(canvas: Canvas, front: Sequence[tuple[float, float]]) -> list[Box]:
    """The Pareto line through these points, from the cheapest on: what lies beyond it nobody offers."""
    steps: list[tuple[float, float]] = []
    for at in front:
        steps += [*([(at[0], steps[-1][1])] if steps else []), at]
    canvas.polyline(steps, "front")
    return [line_box(one, other) for one, other in pairwise(steps)]


@dataclass(frozen=True)
class _Mark:
    x: float
    y: float
    radius: float
    members: tuple[Point, ...]


def _marks(plot: _Plot, x: Log, y: Linear | Log) -> list[_Mark]:
    """Where the marks stand, those that nobody could tell apart as one; the large ones first."""
    largest = max(point.size_bytes for point in plot.found) or 1
    groups: list[_Mark] = []
    for point in plot.found:
        radius = max(SMALLEST, LARGEST * sqrt(point.size_bytes / largest))
        new = _Mark(x.at(point.x), y.at(point.y.value), radius, (point,))
        same = next((i for i, old in enumerate(groups) if _one(plot, old, new)), None)
        if same is None:
            groups.append(new)
        else:
            old = groups[same]
            groups[same] = _Mark(old.x, old.y, max(old.radius, radius), (*old.members, point))
    return sorted(groups, key=lambda mark: (-mark.radius, mark.members[0].name))


def _reaches(canvas: Canvas, plot: _Plot, marks: Sequence[_Mark], y: Linear | Log) -> list[Box]:
    boxes = []
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for mark in marks:
        ends = [y.at(end) for point in mark.members for end in (point.y.low, point.y.high)]
        if max(ends) - min(ends) > 1:
            css = plot.kinds[mark.members[0].name].css.replace("crossed", "problem")
            lines.setdefault(css, []).append((mark.x, min(ends), mark.x, max(ends)))
            boxes.append(line_box((mark.x, min(ends)), (mark.x, max(ends))))
    for css, found in lines.items():
        canvas.segments(found, f"reach {css}")
    return boxes


def _symbols(canvas: Canvas, plot: _Plot, marks: Sequence[_Mark]) -> None:
    for mark in marks:
        kind = plot.kinds[mark.members[0].name]
        told = " / ".join(plot.told(point) for point in mark.members)
        canvas.symbol(kind.shape, mark.x, mark.y, mark.radius, css=kind.css, title=told)


def _one(plot: _Plot, old: _Mark, new: _Mark) -> bool:
    alike = plot.kinds[old.members[0].name] is plot.kinds[new.members[0].name]
    return alike and abs(old.x - new.x) <= SAME and abs(old.y - new.y) <= SAME


def _labels(canvas: Canvas, plot: _Plot, marks: Sequence[_Mark], area: Box, lines: Sequence[Box]) -> None:
    line = {point.name for point in plot.front}
    order = {kind: place for place, kind in enumerate(ORDER)}
    shown = [m for m in marks if any(p.name in line or order[plot.kinds[p.name]] <= 1 for p in m.members)]
    shown.sort(key=lambda mark: (order[plot.kinds[mark.members[0].name]], mark.x))
    room = 0.55 * (area.right - area.left)
    texts = [_called(plot, mark, room) for mark in shown]
    strong = [plot.kinds[mark.members[0].name] is BEST for mark in shown]
    named = zip(shown, texts, strong, strict=True)
    wanted = [Wanted(mark.x, mark.y, mark.radius, text, bold) for mark, text, bold in named]
    boxes = [mark_box(mark.x, mark.y, mark.radius) for mark in marks]
    called(canvas, wanted, boxes, area, lines)


def _called(plot: _Plot, mark: _Mark, room: float) -> str:
    more = f" +{len(mark.members) - 1}" if len(mark.members) > 1 else ""
    return fitted(plot.names.of(mark.members[0].name), room - 20 * bool(more)) + more
