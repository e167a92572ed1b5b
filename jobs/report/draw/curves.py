"""Courses over time: training and sustained load. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.numbers import duration, factor
from common.schema.results import Endured, Results
from common.schema.training import Training
from common.svg.canvas import Canvas, x_axis, y_axis
from common.svg.learning import learning_curves
from common.svg.scale import linear, tame
from common.svg.text import FONT_SIZE, LINE, fitted
from jobs.report.document import Chart
from jobs.report.draw.canvas import NARROW, Names, both
from jobs.report.draw.strips import AXIS
from jobs.report.names import Grid
from jobs.report.sustained import Key, groups, where

LEFT, TOP = 44, 24
COLOURS = 6
# Above its begin by so much a variant throttles.
THROTTLED = 1.1


def training(found: Training) -> Chart | None:
    """Loss and accuracy over the epochs; None without epochs."""
    if not found.epochs:
        return None
    best = next((epoch for epoch in found.epochs if epoch.epoch == found.best_epoch), found.epochs[-1])
    alt = (
        f"Loss and accuracy over {len(found.epochs)} epochs. Epoch {best.epoch}, whose weights were kept: validation "
        f"loss {best.val_loss:.3g}, validation accuracy {best.val_accuracy:.1%}."
    )
    caption = f"Solid: validation. Dashed: training. The line marks epoch {found.best_epoch}, whose weights were kept."
    drawing = both(lambda width: learning_curves(found.epochs, found.best_epoch, width, stacked=width == NARROW), alt)
    return Chart("training", alt, caption, drawing)


@dataclass(frozen=True)
class _Course:
    name: str
    points: tuple[tuple[float, float], ...]


def sustained(results: Results) -> tuple[Chart, ...]:
    """Latency under load over time, each variant's over its own begin: a chart per target, backend and threads."""
    charts = []
    for place, (key, members) in enumerate(groups(results).items()):
        courses = _courses(results, members)
        if courses:
            charts.append(_sustained(results, key, courses, place))
    return tuple(charts)


def _courses(results: Results, members: Sequence[Endured]) -> tuple[_Course, ...]:
    names, courses = Names(results), []
    for one in members:
        begin = one.result.first_us
        if begin is None or begin <= 0:
            continue
        points = tuple((tame(p.at_s) / 60, tame(p.latency_us / begin)) for p in one.result.points if p.latency_us > 0)
        if points:
            courses.append(_Course(names.of(one.result.cell.variant), points))
    return tuple(courses)


def _sustained(results: Results, key: Key, courses: tuple[_Course, ...], place: int) -> Chart:
    last = max(courses, key=lambda course: course.points[-1][1])
    over = f"{100 * (last.points[-1][1] - 1):+.3g} %"
    long = duration(60e6 * max(course.points[-1][0] for course in courses))
    alt = f"Latency under load on {where(key)}. After {long} {last.name} is farthest from its begin: {over}."
    caption = f"Latency under load, each variant's over that of its own begin. Dashed rule: {THROTTLED:g}."
    settings = [s for s in Grid(results).settings if (s.target, s.backend, s.threads) == key]
    name = "sustained" if place == 0 else f"sustained-{place}"
    of = Grid(results).key(settings[0]) if settings else ""
    return Chart(name, alt, caption, both(lambda width: _draw(courses, width), alt), of)


def _draw(courses: tuple[_Course, ...], width: int) -> Canvas:
    inner = 180 if width == NARROW else 220
    bottom = TOP + inner
    canvas = Canvas(width, bottom + AXIS + LINE * len(courses))
    x = linear([at for course in courses for at, _ in course.points], LEFT, width - 8, room=0.02, zero=True)
    y = linear([*(ratio for course in courses for _, ratio in course.points), 1.0, THROTTLED], bottom, TOP)
    canvas.text(0, FONT_SIZE, "latency over its begin", "quiet")
    y_axis(canvas, y, LEFT, width - 8)
    x_axis(canvas, x, TOP, bottom, title="minutes")
    canvas.line(LEFT, y.at(THROTTLED), width - 8, y.at(THROTTLED), css="leader dashed")
    for place, course in enumerate(courses):
        css = f"course kind-{place % COLOURS}{' dashed' * (place >= COLOURS)}"
        canvas.polyline([(x.at(at), y.at(ratio)) for at, ratio in course.points], css)
        row = bottom + AXIS + LINE * place
        canvas.line(0, row + 8, 24, row + 8, css=css)
        canvas.text(30, row + FONT_SIZE, fitted(course.name, width - 160))
        canvas.text(width, row + FONT_SIZE, f"ends at {factor(course.points[-1][1])}", "quiet", "end")
    return canvas
