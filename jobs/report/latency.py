"""The tables of sizes, inference times and memory. Pure: results to formatted tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from common.numbers import ABSENT, clipped, count, decimal, listed, megabytes, percent, span
from common.schema.base import Interval
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Latency, Results
from jobs.report import devices, verdicts
from jobs.report.document import Cell, Column, Row, Table, number
from jobs.report.names import Grid, NoResult, Result, Setting, variant_labels

# Reasons may be whole logs; results.csv has them in full.
REASON_LENGTH = 160
FUNCTIONAL = "functional only: these times show that the variants run, and are compared with nothing."


def overview(results: Results) -> tuple[Table, ...]:
    """Size, inference time and run-time memory of every variant: one table per target, one of the
    sizes where nothing was measured."""
    grid = Grid(results)
    if not grid.targets:
        return (_overview(results, grid, "Size of every variant", ()),)
    return tuple(
        _overview(results, grid, f"Size, inference time and run-time memory on {target}", grid.of_target(target))
        for target in grid.targets
    )


def _overview(results: Results, grid: Grid, caption: str, settings: tuple[Setting, ...]) -> Table:
    labels = variant_labels(results)
    remembered = tuple(setting for setting in settings if _has(results, grid, setting, lambda x: x.memory_mb))
    name = _short_name(settings)
    columns = (
        Column("Size (MB)"),
        *(Column(name(setting), "Inference time (µs)") for setting in settings),
        *(Column(name(setting), "Run-time memory (MB)") for setting in remembered),
    )
    rows = []
    for variant in results.variants:
        found = [grid.result(variant.name, setting) for setting in settings]
        memory = [grid.result(variant.name, setting) for setting in remembered]
        cells = (
            Cell(megabytes(variant.size_bytes)),
            *(_figure(result, lambda x: x.latency_us) for result in found),
            *(_figure(result, lambda x: x.memory_mb) for result in memory),
        )
        rows.append(Row(labels[variant.name], cells))
    return Table(caption, "Variant", columns, tuple(rows), tuple(_overview_notes(settings, remembered)))


def _overview_notes(settings: tuple[Setting, ...], remembered: tuple[Setting, ...]) -> Iterator[str]:
    threads = {setting.threads for setting in settings}
    if len(threads) == 1:
        yield f"Measured with {count(threads.pop(), 'thread')}."
    if any(setting.functional_only for setting in settings):
        yield f"{settings[0].target} is {FUNCTIONAL}"
    without = tuple(s.backend_label for s in settings if s not in remembered)
    if without:
        yield f"Run-time memory was not measured on {listed(tuple(dict.fromkeys(without)))}."


def _short_name(settings: tuple[Setting, ...]) -> Callable[[Setting], str]:
    several = len({setting.threads for setting in settings}) > 1
    return lambda s: f"{s.backend_label}, {count(s.threads, 'thread')}" if several else s.backend_label


def _figure(result: Result | None, figure: Callable[[Latency], float | None]) -> Cell:
    if isinstance(result, Latency):
        value = figure(result)
        return number(None if value is None else decimal(value))
    return Cell("not measured") if result is None else Cell(result.kind, tone="problem")


def _has(results: Results, grid: Grid, setting: Setting, figure: Callable[[Latency], object]) -> bool:
    found = [grid.latency(variant.name, setting) for variant in results.variants]
    return any(result is not None and figure(result) is not None for result in found)


@dataclass(frozen=True)
class _Detail:
    """A column of the detailed table, left out where no variant has a figure. One that only some places or tools
    tell is not missed elsewhere."""

    label: str
    present: Callable[[Latency], object]
    cell: Callable[[Latency], Cell]
    of_some: bool = False


def details(results: Results) -> tuple[Table, ...]:
    """Every latency with spread, interval and ratio: a table per target, backend and thread count,
    where the results hold more than the overview shows."""
    grid = Grid(results)
    return tuple(_details(results, grid, setting) for setting in grid.settings if _more(results, grid, setting))


def _more(results: Results, grid: Grid, setting: Setting) -> bool:
    """Whether there is anything beyond the figures of the overview."""
    found = [grid.result(variant.name, setting) for variant in results.variants]
    return any(
        isinstance(x, Unsupported | Failed | NoResult) or (isinstance(x, Latency) and x.rounds is not None)
        for x in found
    )


def _details(results: Results, grid: Grid, setting: Setting) -> Table:
    labels = variant_labels(results)
    offered = _columns()
    shown = [detail for detail in offered if _has(results, grid, setting, detail.present)]
    compared = not setting.functional_only and _has(results, grid, setting, lambda x: x.ratio)
    rows = []
    for variant in results.variants:
        result = grid.result(variant.name, setting)
        if isinstance(result, Latency):
            first = (Cell(decimal(result.latency_us)), *((_speed(grid, variant.name, setting, result),) * compared))
            cells = (*first, *(d.cell(result) for d in shown))
        else:
            cells = (explain(result), *(Cell(ABSENT) for _ in (*shown, *((None,) * compared))))
        rows.append(Row(labels[variant.name], cells))
    reference = labels.get(results.reference, results.reference)
    ratios = (Column(f"Ratio to {reference} (above 1: faster)"),) * compared
    columns = (Column("Latency (µs)"), *ratios, *(Column(detail.label) for detail in shown))
    notes = _detail_notes(results, setting, offered, shown, compared=compared)
    return Table(setting.label, "Variant", columns, tuple(rows), tuple(notes))


def _speed(grid: Grid, name: str, setting: Setting, latency: Latency) -> Cell:
    if name == grid.results.reference:
        return Cell("reference")
    return verdicts.speed(grid.speed(name, setting), latency.ratio)


def _columns() -> tuple[_Detail, ...]:
    return (
        _Detail("Spread over rounds (µs)", lambda x: x.low_us, lambda x: _ends(x.low_us, x.high_us)),
        _Detail("95 % interval (µs)", lambda x: x.interval, lambda x: _interval(x.interval)),
        _plain("Initialisation (µs)", lambda x: x.init_us),
        _plain("First inference (µs)", lambda x: x.first_us),
        _plain("Memory (MB)", lambda x: x.memory_mb),
        _plain("Whole process (MB)", lambda x: x.memory_peak_mb, of_some=True),
        _Detail("Delegation", lambda x: x.delegation, lambda x: devices.delegation(x.delegation), of_some=True),
        _Detail("Answers", lambda x: x.answers, lambda x: devices.answers(x.answers), of_some=True),
        _Detail("App / binary", lambda x: x.app_ratio, lambda x: devices.app(x.app_ratio), of_some=True),
        _Detail("Rounds", lambda x: x.rounds, lambda x: number(None if x.rounds is None else str(x.rounds))),
    )


def _plain(label: str, figure: Callable[[Latency], float | None], *, of_some: bool = False) -> _Detail:
    return _Detail(label, figure, lambda result: _figure(result, figure), of_some)


def _ends(low: float | None, high: float | None) -> Cell:
    return number(None if low is None or high is None else span(low, high))


def _interval(interval: Interval | None) -> Cell:
    return number(None if interval is None else span(interval.low, interval.high))


def explain(result: Unsupported | Failed | NoResult | None) -> Cell:
    """Why there is no figure."""
    if result is None:
        return Cell("not measured")
    log = f" (log: {result.log})" if isinstance(result, Failed) and result.log else ""
    return Cell(result.kind, clipped(result.reason, REASON_LENGTH) + log, "problem")


def _detail_notes(
    results: Results, setting: Setting, offered: tuple[_Detail, ...], shown: list[_Detail], *, compared: bool
) -> Iterator[str]:
    if setting.functional_only:
        yield f"{setting.target} is {FUNCTIONAL}"
    yield from _floor(results, setting)
    yield from _memory(results, setting)
    absent = [detail.label.partition(" (")[0] for detail in offered if detail not in shown and not detail.of_some]
    if not compared and not setting.functional_only:
        absent.append(f"ratio to {variant_labels(results).get(results.reference, results.reference)}")
    if absent:
        yield f"Not in these results: {listed(tuple(label[:1].lower() + label[1:] for label in absent))}."


def _memory(results: Results, setting: Setting) -> Iterator[str]:
    """In which processes memory was measured, and what of theirs is the tool's own."""
    labels = variant_labels(results)
    found = {labels[v.name]: Grid(results).latency(v.name, setting) for v in results.variants}
    known = {name: x for name, x in found.items() if x is not None and x.memory_mb is not None}
    timed = tuple(name for name, x in known.items() if x.memory_processes == 0)
    if timed:
        which = "" if len(timed) == len(known) else f" of {listed(timed)}"
        yield f"Memory{which} was read from the timed processes, not from processes of its own."
    shares = [x.memory_peak_mb - (x.memory_mb or 0.0) for x in known.values() if x.memory_peak_mb is not None]
    if shares:
        yield f"Of each whole process, {decimal(median(shares))} MB were there before the model was loaded."


def _floor(results: Results, setting: Setting) -> Iterator[str]:
    """By how much a file differs from itself there."""
    grid = Grid(results)
    found = [grid.speed(variant.name, setting) for variant in results.variants]
    known = [speed for speed in found if speed is not None and speed.floor is not None]
    if not known or known[0].floor is None:
        return
    share = percent(known[0].floor)
    if known[0].floor_assumed:
        yield f"No references told how much a file differs from itself here; {share} is assumed."
    else:
        yield f"A file differs from itself by up to {share} here, so that no smaller difference is claimed."
