"""Where the work and the time go. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.numbers import clipped, decimal, duration, time_unit
from common.printable import clean
from common.schema.results import Latency, Results
from common.svg.canvas import Canvas
from common.svg.scale import linear, tame
from common.svg.text import FONT_SIZE, LINE, fitted, text_width
from jobs.report.document import Chart
from jobs.report.draw.canvas import Names, both
from jobs.report.draw.labels import rows as flow
from jobs.report.draw.strips import AXIS, Strip, Strips
from jobs.report.names import Grid, Setting
from jobs.report.verdicts import winner

BAR = 14.0
# Colours that can be told apart; the last one is for all the rest.
COLOURS = 6
MOST_VARIANTS, MOST_KINDS = 8, 12
KIND_LENGTH = 28
OTHER = "other"
MILLION = 1e6


@dataclass(frozen=True)
class _Row:
    """Of a variant: multiply-accumulates by number type, and microseconds by kind of operator."""

    name: str
    macs: dict[str, float]
    times: dict[str, float]


def times(latency: Latency | None) -> dict[str, float]:
    """Microseconds of one inference by kind of operator; of the nodes of the file where the tool told no kinds."""
    found: dict[str, float] = {}
    if latency is None:
        return found
    for one in latency.operators or latency.layers:
        if one.mean_us > 0:
            kind = clipped(clean(one.kind), KIND_LENGTH)
            found[kind] = found.get(kind, 0.0) + tame(one.mean_us)
    return found


def work(results: Results, setting: Setting) -> Chart | None:
    """Multiply-accumulates by number type beside time by operator; None where neither is known."""
    rows = _rows(results, setting)
    if not any(row.times for row in rows):
        return None
    key = Grid(results).key(setting)
    name = "operators" if setting == Grid(results).first else f"operators-{key}"
    slowest = max(rows, key=lambda row: sum(row.times.values()))
    heaviest = max(slowest.times.items(), key=lambda item: item[1])
    share = heaviest[1] / sum(slowest.times.values())
    alt = (
        f"Multiply-accumulates by number type and time by operator on {setting.label}. "
        f"Most time: {slowest.name}, {duration(sum(slowest.times.values()))}, {share:.0%} of it in {heaviest[0]}."
    )
    left = len(results.variants) - len(rows)
    more = f" {left} more variants are left out." if left > 0 and len(rows) == MOST_VARIANTS else ""
    caption = (
        "Upper bar: multiply-accumulates by number type. Lower bar: time by operator, from a run with the profiler on."
        + more
    )
    return Chart(name, alt, caption, both(lambda width: _work(rows, width), alt), key)


def _rows(results: Results, setting: Setting) -> tuple[_Row, ...]:
    """The reference, the recommended one, the next best, then the others, as many as there is room for."""
    choice, grid, names = results.choice, Grid(results), Names(results)
    first = [results.reference]
    if choice is not None:
        first += [name for name in (choice.best, choice.runner_up and choice.runner_up.name) if name]
    ordered = sorted(results.variants, key=lambda v: first.index(v.name) if v.name in first else len(first))
    rows = []
    for variant in ordered:
        domains = () if variant.proof is None else variant.proof.domains
        macs: dict[str, float] = {total.domain: total.macs / MILLION for total in domains if total.macs}
        spent = times(grid.latency(variant.name, setting))
        if macs or spent:
            rows.append(_Row(names.of(variant.name), macs, spent))
    return tuple(rows[:MOST_VARIANTS])


def _colours(parts: Sequence[dict[str, float]]) -> dict[str, int]:
    """A colour for each of the largest parts; the others share the last one."""
    totals: dict[str, float] = {}
    for one in parts:
        for name, value in one.items():
            # Rows count alike, however large.
            totals[name] = totals.get(name, 0.0) + value / (sum(one.values()) or 1.0)
    ordered = sorted(totals, key=lambda name: (-totals[name], name))
    kept = ordered if len(ordered) <= COLOURS else [*ordered[: COLOURS - 1], OTHER]
    return {name: place for place, name in enumerate(kept)}


def _work(rows: tuple[_Row, ...], width: int) -> Canvas:
    macs, kinds = _colours([row.macs for row in rows]), _colours([row.times for row in rows])
    strips = Strips(tuple(Strip(row.name, _figure(row)) for row in rows), width, 2 * BAR + 2)
    legends = (("By number type:", macs), ("By operator:", kinds))
    height = sum(_legend_height(title, names, width) for title, names in legends)
    canvas = Canvas(width, strips.bottom + height)
    strips.names(canvas)
    for place, row in enumerate(rows):
        top = strips.strip(place)
        _stack(canvas, row.macs, macs, _largest([r.macs for r in rows]), top)
        _stack(canvas, row.times, kinds, _largest([r.times for r in rows]), top + BAR + 2)
    top = strips.bottom
    for title, names in legends:
        _legend(canvas, title, names, top)
        top += _legend_height(title, names, width)
    return canvas


def _figure(row: _Row) -> str:
    figures = [f"{decimal(sum(row.macs.values()))} M MACs"] if row.macs else []
    return ", ".join([*figures, *([duration(sum(row.times.values()))] if row.times else [])])


def _largest(parts: Sequence[dict[str, float]]) -> float:
    return max((sum(one.values()) for one in parts), default=0.0)


def _stack(canvas: Canvas, parts: dict[str, float], colours: dict[str, int], most: float, top: float) -> None:
    """A bar of parts, in the order of their colours; the longest one fills the width."""
    joined: dict[str, float] = {}
    for name, value in parts.items():
        shown = name if name in colours else OTHER
        joined[shown] = joined.get(shown, 0.0) + (value / most if most > 0 else 0.0)
    x = 0.0
    for name in sorted(joined, key=lambda one: colours[one]):
        wide = joined[name] * canvas.width
        told = f"{name}: {joined[name] / (sum(joined.values()) or 1):.0%}"
        canvas.rect(x, top, wide, BAR, css=f"part kind-{colours[name]}", title=told)
        if text_width(name) + 8 < wide:
            canvas.text(x + 4, top + BAR - 3, name, "on")
        x += wide


def _legend_words(title: str, names: dict[str, int]) -> list[str]:
    return [title, *names]


def _legend_height(title: str, names: dict[str, int], width: float) -> float:
    widths = [text_width(word) + 30 for word in _legend_words(title, names)]
    return (flow(widths, width)[-1][0] + 1) * LINE + 4 if names else 0.0


def _legend(canvas: Canvas, title: str, names: dict[str, int], top: float) -> None:
    if not names:
        return
    widths = [text_width(word) + 30 for word in _legend_words(title, names)]
    for word, (row, left) in zip(_legend_words(title, names), flow(widths, canvas.width), strict=True):
        y = top + FONT_SIZE + row * LINE
        if word == title:
            canvas.text(left, y, word)
            continue
        canvas.rect(left, y - 9, 10, 10, css=f"part kind-{names[word]}")
        canvas.text(left + 14, y, fitted(word, canvas.width - left - 14), "quiet")


def beside(results: Results, setting: Setting, first: str, second: str) -> Chart | None:
    """What `second` takes more or less than `first` by kind of operator; None where one was not profiled."""
    grid, names = Grid(results), Names(results)
    ours, theirs = times(grid.latency(first, setting)), times(grid.latency(second, setting))
    if not ours or not theirs:
        return None
    changes = sorted(
        ((kind, ours.get(kind, 0.0), theirs.get(kind, 0.0)) for kind in {**ours, **theirs}),
        key=lambda row: (-abs(row[2] - row[1]), row[0]),
    )
    shown, rest = changes[:MOST_KINDS], changes[MOST_KINDS:]
    if rest:
        shown.append((OTHER, sum(row[1] for row in rest), sum(row[2] for row in rest)))
    kind, old, new = shown[0]
    alt = (
        f"Time by operator of {names.of(second)} beside {names.of(first)} on {setting.label}. "
        f"Largest difference: {kind}, {duration(old)} to {duration(new)}."
    )
    caption = f"What {names.of(second)} takes less (left) or more (right) than {names.of(first)} by kind of operator."
    key = Grid(results).key(setting)
    main = (results.reference, winner(results, setting)) == (first, second) and setting == Grid(results).first
    name = "beside" if main else f"beside-{key}-{first}-{second}"
    return Chart(name, alt, caption, both(lambda width: _beside(shown, width), alt), key)


def _beside(rows: Sequence[tuple[str, float, float]], width: int) -> Canvas:
    named = tuple(
        Strip(kind, f"{duration(old)} to {duration(new)}", tone="say-better" if new < old else "say-worse")
        for kind, old, new in rows
    )
    strips = Strips(named, width, BAR)
    canvas = Canvas(width, strips.bottom + AXIS)
    unit = time_unit([max(abs(new - old) for _, old, new in rows)])
    changes = [(new - old) / unit.us for _, old, new in rows]
    x = linear(changes, *strips.ends(), zero=True)
    strips.axis(canvas, x, f"less | time ({unit.name}) | more")
    for place, change in enumerate(changes):
        left, right = sorted((x.at(0), x.at(change)))
        css = "better" if change < 0 else "worse"
        canvas.rect(left, strips.strip(place), right - left, BAR, css=css, title=f"{change:+.3g} {unit.name}")
    strips.rules(canvas, [x.at(0)], "rule")
    strips.names(canvas)
    return canvas
