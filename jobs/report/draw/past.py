"""The sessions of a device over time: every series over its own median, and where device and tools changed. Pure."""

from dataclasses import dataclass
from functools import cached_property
from statistics import median
from string import ascii_uppercase

from common import history_words as words
from common.numbers import clipped, count, percent
from common.schema.history import History, Mark, Series
from common.svg.canvas import Canvas, x_axis, y_axis
from common.svg.scale import LEAST, Linear, Log, linear, log, tame
from common.svg.text import FONT_SIZE, LINE
from jobs.report.document import Chart
from jobs.report.draw.canvas import NAME_LENGTH, NARROW, both
from jobs.report.draw.standing import Kind, legend, legend_height
from jobs.report.draw.strips import AXIS

LEFT, TOP, MARGIN = 44, 24 + LINE, 10
HEIGHT, LOW = 230, 190
# Series with a colour of their own; the others are drawn alike.
COLOURS = 5
# Beyond them marks have no letters and no lines.
MOST_MARKS = len(ascii_uppercase)
OTHERS = Kind("no change shown", "circle", "mark")
NEW_FILE = Kind("another file", "ring", "hollow")
LINES = ("processor", "build", "tool", "settings")


def lettered(history: History, target: str) -> dict[str, tuple[int, tuple[Mark, ...]]]:
    """The newest sessions in which the device, the tools or the settings changed, each with a letter."""
    found: dict[int, list[Mark]] = {}
    for mark in history.marks:
        if mark.target == target and mark.kind in LINES:
            found.setdefault(mark.session, []).append(mark)
    newest = sorted(found)[-MOST_MARKS:]
    return {letter: (place, tuple(found[place])) for letter, place in zip(ascii_uppercase, newest, strict=False)}


@dataclass(frozen=True)
class _Plot:
    """A target's series of latencies, each over its own median, by the number of the session among the target's."""

    history: History
    target: str

    @cached_property
    def places(self) -> dict[int, int]:
        """The number of every session, by its place in the history."""
        return {place: number for number, place in enumerate(words.places(self.history, self.target))}

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """Latencies, those that changed most first."""
        own = [one for one in self.history.series if (one.target, one.measure) == (self.target, "latency")]
        return tuple(sorted(own, key=lambda one: -max((abs(shift.share) for shift in one.shifts), default=0.0)))

    @cached_property
    def coloured(self) -> tuple[Series, ...]:
        """Those that have a colour of their own."""
        return tuple(one for one in self.series if one.shifts)[:COLOURS]

    def ratios(self, series: Series) -> tuple[tuple[int, float], ...]:
        """Number of the session and value over the median."""
        middle = median(tame(point.value) for point in series.points)
        return tuple((self.places[p.session], max(LEAST, tame(p.value) / middle)) for p in series.points)

    def css(self, series: Series) -> str:
        """The class of its colour."""
        return f"kind-{self.coloured.index(series)}" if series in self.coloured else ""

    def name(self, series: Series) -> str:
        """Short; with the experiment where there are several."""
        several = len({one.experiment for one in self.series}) > 1
        of = f" of {series.experiment}" if several else ""
        return clipped(f"{series.variant}{of}, {words.setting(series)}", NAME_LENGTH)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """What the legend explains."""
        own = tuple(Kind(self.name(one), "circle", self.css(one)) for one in self.coloured)
        others = (OTHERS,) if len(self.coloured) < len(self.series) else ()
        new = any(point.new_file for one in self.series for point in one.points)
        return (*own, *others, *((NEW_FILE,) if new else ()))


def chart(history: History, target: str, number: int) -> Chart | None:
    """All series of a target; None where it was measured once."""
    plot = _Plot(history, target)
    if len(plot.places) < 2 or not plot.series:  # noqa: PLR2004
        return None
    ratios = [ratio for series in plot.series for _, ratio in plot.ratios(series)]
    changed = sum(bool(series.shifts) for series in plot.series)
    spread = percent(round(max(max(ratios) - 1, 1 - min(ratios)), 3))
    told = f"{count(len(plot.places), 'session')} on {target}: {count(len(plot.series), 'series', 'series')}"
    alt = f"{told} within {spread} of their medians, {changed} with a change."
    caption = (
        "Every session, evenly spaced in the order of time: latencies over the median of their own series. A line with "
        "a letter is a change of the device, a tool or the settings, explained below."
    )
    return Chart(f"past-{number}", alt, caption, both(lambda width: _draw(plot, width), alt))


def _draw(plot: _Plot, width: int) -> Canvas:
    inner = LOW if width == NARROW else HEIGHT
    bottom = TOP + inner
    canvas = Canvas(width, bottom + AXIS + legend_height([kind.word for kind in plot.kinds], width))
    x = linear([0, len(plot.places) - 1], LEFT, width - MARGIN, room=0.03)
    y = log([ratio for series in plot.series for _, ratio in plot.ratios(series)], bottom, TOP, least=1.15)
    canvas.text(0, FONT_SIZE, "latency over the series' median", "quiet")
    y_axis(canvas, y, LEFT, width - MARGIN)
    x_axis(canvas, x, TOP, bottom, title="session (UTC)", labels=_dates(plot, 3 if width == NARROW else 6))
    _marks(canvas, plot, x, bottom)
    for series in reversed(plot.series):
        _line(canvas, plot, series, x, y)
    legend(canvas, plot.kinds, bottom + AXIS)
    return canvas


def _dates(plot: _Plot, most: int) -> dict[float, str]:
    sessions = list(plot.places)
    step = max(1, -(-len(sessions) // most))
    return {float(n): f"{plot.history.sessions[sessions[n]].at:%Y-%m-%d}" for n in range(0, len(sessions), step)}


def _marks(canvas: Canvas, plot: _Plot, x: Linear, bottom: float) -> None:
    used = 0.0
    for letter, (place, marks) in lettered(plot.history, plot.target).items():
        # The change lies before the session that is the first to show it.
        across = x.at(plot.places[place] - 0.5)
        told = "; ".join(words.mark(mark) for mark in marks)
        canvas.line(across, TOP, across, bottom, css="rule", title=told)
        if across - used >= FONT_SIZE:
            canvas.text(across, TOP - 4, letter, "strong", "middle")
            used = across


def _line(canvas: Canvas, plot: _Plot, series: Series, x: Linear, y: Log) -> None:
    css = plot.css(series)
    points = [(x.at(number), y.at(ratio)) for number, ratio in plot.ratios(series)]
    canvas.polyline(points, f"course {css}" if css else "reach")
    if css:
        for (across, up), point in zip(points, series.points, strict=True):
            told = f"{words.when(plot.history.sessions[point.session])}, {words.value(series, point.value)}"
            canvas.symbol("circle", across, up, 3, css=css, title=f"{plot.name(series)}: {told}")
    else:
        canvas.dots(points, "")
    for (across, up), point in zip(points, series.points, strict=True):
        if point.new_file:
            canvas.symbol("ring", across, up, 4, css="hollow")
