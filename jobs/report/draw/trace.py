"""Every process of a session: over time, and by variant. Pure."""

from dataclasses import dataclass
from itertools import groupby
from statistics import median

from common.numbers import count, percent
from common.schema.results import Process, Results, Trace
from common.svg.canvas import Canvas, x_axis, y_axis
from common.svg.scale import LEAST, Linear, Log, linear, log, tame
from common.svg.text import FONT_SIZE, LINE
from jobs.report.document import Chart
from jobs.report.draw.canvas import NARROW, Names, both
from jobs.report.draw.standing import Kind, legend, legend_height
from jobs.report.draw.strips import AXIS, Strip, Strips
from jobs.report.names import Grid, Setting

LEFT, TOP = 44, 24
LOAD = 56
# Discarded ones are few; more of them need no mark each.
MOST_TOLD = 60
OWN = Kind("process of a variant", "circle", "best")
BETWEEN = Kind("reference around a segment", "square", "reference")
DISCARDED = Kind("discarded", "cross", "crossed")
FAILED = Kind("failed", "down", "worse")


@dataclass(frozen=True)
class _Plot:
    """Processes with their latency over their variant's median, None of those that failed."""

    trace: Trace
    names: Names
    ratios: tuple[tuple[Process, float | None], ...]

    @property
    def measured(self) -> tuple[tuple[Process, float], ...]:
        """Those that did not fail."""
        return tuple((process, ratio) for process, ratio in self.ratios if ratio is not None)

    @property
    def used(self) -> tuple[Kind, ...]:
        """The kinds that the legend explains."""
        present = {_kind(process) for process, _ in self.ratios}
        return tuple(kind for kind in (OWN, BETWEEN, DISCARDED, FAILED) if kind in present)

    @property
    def loads(self) -> tuple[tuple[float, float], ...]:
        """Load by start."""
        return tuple((p.start_s, p.load) for p, _ in self.ratios if p.load is not None)


def _kind(process: Process) -> Kind:
    if process.latency_us is None:
        return FAILED
    if process.discarded is not None:
        return DISCARDED
    return BETWEEN if process.reference else OWN


def _plot(results: Results, found: Trace) -> _Plot | None:
    times: dict[str, list[float]] = {}
    for process in found.processes:
        if process.latency_us is not None and process.latency_us > 0 and process.discarded is None:
            times.setdefault(process.variant, []).append(process.latency_us)
    middles = {name: median(values) for name, values in times.items()}
    ratios = tuple((process, _ratio(process, middles)) for process in found.processes)
    shown = tuple((p, r) for p, r in ratios if r is not None or p.latency_us is None)
    return _Plot(found, Names(results), shown) if any(r is not None for _, r in shown) else None


def _ratio(process: Process, middles: dict[str, float]) -> float | None:
    middle = middles.get(process.variant)
    if process.latency_us is None or process.latency_us <= 0 or middle is None:
        return None
    return max(LEAST, tame(process.latency_us / middle))


def _place(results: Results, found: Trace) -> Setting | None:
    wanted = (found.target, found.backend, found.threads, found.runner)
    settings = Grid(results).settings
    return next((s for s in settings if (s.target, s.backend, s.threads, s.runner) == wanted), None)


def _named(results: Results, found: Trace, stem: str) -> tuple[str, str, str]:
    """The chart's name, its setting's key and that setting in words."""
    setting = _place(results, found)
    if setting is None:
        return f"{stem}-{results.traces.index(found)}" if found in results.traces else stem, "", found.target
    key = Grid(results).key(setting)
    same = [other for other in results.traces if _place(results, other) == setting]
    more = f"-{same.index(found)}" if found in same and same.index(found) else ""
    return (stem if setting == Grid(results).first else f"{stem}-{key}") + more, key, setting.label


def trace(results: Results, found: Trace) -> Chart | None:
    """Start against latency; None where no process was measured."""
    plot = _plot(results, found)
    if plot is None:
        return None
    name, key, where = _named(results, found, "trace")
    alt = f"{_told(plot)} on {where}, over time."
    floor = "" if found.floor is None else f" The band is the noise floor, {percent(tame(found.floor))}."
    load = " Below: the machine's load over one minute." if plot.loads else ""
    caption = f"Every process: its start against its latency over its own variant's median.{floor}{load}"
    return Chart(name, alt, caption, both(lambda width: _trace(plot, width), alt), key)


def _told(plot: _Plot) -> str:
    kinds = [_kind(process) for process, _ in plot.ratios]
    apart = sorted(abs(ratio - 1) for process, ratio in plot.measured if process.discarded is None)
    most = apart[int(0.9 * (len(apart) - 1))]
    said = [f"{kinds.count(kind)} {kind.word}" for kind in (DISCARDED, FAILED) if kinds.count(kind)]
    gone = f" ({', '.join(said)})" if said else ""
    processes = count(len(kinds), "process", "processes")
    return f"{processes}{gone}, nine in ten within {percent(most)} of their variant's median"


def _trace(plot: _Plot, width: int) -> Canvas:
    below = legend_height([kind.word for kind in plot.used], width)
    load = LOAD + LINE if plot.loads else 0
    inner = 170 if width == NARROW else 200
    canvas = Canvas(width, TOP + inner + load + AXIS + below)
    bottom = TOP + inner
    seconds = max(process.start_s for process, _ in plot.ratios)
    unit, name = (60.0, "min") if seconds >= 120 else (1.0, "s")  # noqa: PLR2004
    x = linear([process.start_s / unit for process, _ in plot.ratios], LEFT, width - 8, room=0.02)
    y = log([ratio for _, ratio in plot.measured], bottom, TOP, least=1.15)
    if plot.trace.floor is not None:
        high, low = y.at(1 + plot.trace.floor), y.at(1 / (1 + plot.trace.floor))
        canvas.rect(LEFT, high, width - 8 - LEFT, low - high, css="band")
    canvas.text(0, FONT_SIZE, "latency over the variant's median", "quiet")
    y_axis(canvas, y, LEFT, width - 8)
    x_axis(canvas, x, TOP, bottom + load, title=f"start of the process ({name})")
    _dots(canvas, plot, x, y, unit)
    if plot.loads:
        _load(canvas, plot, x, unit, (bottom + load, bottom + LINE + 8))
    legend(canvas, plot.used, bottom + load + AXIS)
    return canvas


def _dots(canvas: Canvas, plot: _Plot, x: Linear, y: Log, unit: float) -> None:
    at: dict[Kind, list[tuple[float, float]]] = {OWN: [], BETWEEN: [], DISCARDED: [], FAILED: []}
    told: dict[Kind, list[str]] = {kind: [] for kind in at}
    for process, ratio in plot.ratios:
        kind = _kind(process)
        at[kind].append((x.at(process.start_s / unit), y.end if ratio is None else y.at(ratio)))
        why = process.discarded or kind.word
        told[kind].append(f"{plot.names.of(process.variant)}, round {process.round + 1}: {why}")
    canvas.ticks(at[BETWEEN], 5, "squares")
    canvas.dots(at[OWN], "own")
    for kind in (DISCARDED, FAILED):
        for (across, up), text in list(zip(at[kind], told[kind], strict=True))[:MOST_TOLD]:
            canvas.symbol(kind.shape, across, up, 4, css=kind.css, title=text)


def _load(canvas: Canvas, plot: _Plot, x: Linear, unit: float, ends: tuple[float, float]) -> None:
    y = linear([load for _, load in plot.loads], *ends, zero=True)
    canvas.text(LEFT + 4, ends[1] - 2, "load", "quiet")
    y_axis(canvas, y, LEFT, x.end, most=3)
    canvas.polyline([(x.at(at / unit), y.at(load)) for at, load in plot.loads], "course")


def strip(results: Results, found: Trace) -> Chart | None:
    """A tick per process beside its variant's name; None where no process was measured."""
    plot = _plot(results, found)
    if plot is None:
        return None
    name, key, where = _named(results, found, "strip")
    alt = f"{_told(plot)} on {where}, by variant."
    caption = "A tick is a process: its latency over its variant's median. Lower, shorter ticks are discarded ones."
    return Chart(name, alt, caption, both(lambda width: _strip(plot, width), alt), key)


def _strip(plot: _Plot, width: int) -> Canvas:
    ordered = sorted(plot.measured, key=lambda pair: pair[0].variant)
    members = {name: list(group) for name, group in groupby(ordered, lambda pair: pair[0].variant)}
    order = [v.name for v in plot.names.results.variants if v.name in members]
    order += [name for name in members if name not in order]
    rows = tuple(
        Strip(plot.names.of(name), _spread([r for p, r in members[name] if not p.discarded])) for name in order
    )
    strips = Strips(rows, width, 20.0)
    canvas = Canvas(width, strips.bottom + AXIS)
    x = log([ratio for _, ratio in plot.measured], *strips.ends(), least=1.15)
    if plot.trace.floor is not None:
        low, high = x.at(1 / (1 + plot.trace.floor)), x.at(1 + plot.trace.floor)
        canvas.rect(low, 0, max(1.0, high - low), strips.bottom, css="band")
    strips.axis(canvas, x, "latency over the variant's median")
    strips.names(canvas)
    reference = plot.names.results.reference
    ticks: dict[str, list[tuple[float, float]]] = {"tick of-reference": [], "tick": [], "tick discarded": []}
    for place, name in enumerate(order):
        top = strips.strip(place)
        css = "tick of-reference" if name == reference else "tick"
        ticks[css] += [(x.at(r), top + 7) for p, r in members[name] if not p.discarded]
        ticks["tick discarded"] += [(x.at(r), top + 17) for p, r in members[name] if p.discarded]
    for css, points in ticks.items():
        canvas.ticks(points, 5 if css == "tick discarded" else 12, css)
    return canvas


def _spread(ratios: list[float]) -> str:
    if not ratios:
        return "all discarded"
    low, high = min(ratios) - 1, max(ratios) - 1
    return f"{count(len(ratios), 'process', 'processes')}, {100 * low:+.1f} to {100 * high:+.1f} %"
