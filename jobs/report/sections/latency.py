"""The published table of sizes, inference times and memory, and all that was measured of one variant. Pure: results to
formatted tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from common.numbers import ABSENT, DASH, clipped, count, decimal, duration, listed, megabytes, time_unit
from common.schema.base import Interval
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Latency, Results
from jobs.report.document import Cell, Column, Row, Table, number
from jobs.report.names import Grid, NoResult, Result, Setting, variant_labels
from jobs.report.sections import devices

# Reasons may be whole logs; results.csv has them in full.
REASON_LENGTH = 300
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
    notes = tuple(_overview_notes(settings, remembered))
    return Table(caption, "Variant", columns, tuple(rows), notes, folded=True)


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
    """A column of a variant's own table, left out where no setting has a figure."""

    label: str
    cell: Callable[[Latency], Cell]


def measured(results: Results, name: str) -> Iterator[Table]:
    """Everything that was measured of one variant: a row per setting, with spread, interval and tails."""
    grid = Grid(results)
    found = [(setting, grid.result(name, setting)) for setting in grid.settings]
    known = [(setting, result) for setting, result in found if result is not None]
    if not known:
        return
    offered = [(detail, [_cell(detail, result) for _, result in known]) for detail in _details()]
    shown = [(detail, cells) for detail, cells in offered if any(cell.text != ABSENT for cell in cells)]
    columns = (Column("Latency"), *(Column(detail.label) for detail, _ in shown))
    rows = tuple(
        Row(setting.label, (_latency(result), *(cells[index] for _, cells in shown)))
        for index, (setting, result) in enumerate(known)
    )
    yield Table("Measured", "Setting", columns, rows)


def _cell(detail: _Detail, result: Result) -> Cell:
    return detail.cell(result) if isinstance(result, Latency) else Cell(ABSENT)


def _latency(result: Result) -> Cell:
    return Cell(duration(result.latency_us)) if isinstance(result, Latency) else explain(result)


def _details() -> tuple[_Detail, ...]:
    return (
        _Detail("95 % interval", lambda x: _interval(x.interval)),
        _Detail("Spread", lambda x: _ends(x.low_us, x.high_us)),
        _Detail("p95", lambda x: _time(x.p95_us)),
        _Detail("Initialisation", lambda x: _time(x.init_us)),
        _Detail("First inference", lambda x: _time(x.first_us)),
        _Detail("Memory (MiB)", lambda x: _decimal(x.memory_mb)),
        _Detail("Peak RSS (MiB)", lambda x: _decimal(x.memory_peak_mb)),
        _Detail("Delegation", lambda x: devices.delegation(x.delegation)),
        _Detail("Output check", lambda x: devices.answers(x.answers)),
        _Detail("App / binary", lambda x: devices.app(x.app_ratio)),
        _Detail("Rounds", _rounds),
    )


def _time(us: float | None) -> Cell:
    return number(None if us is None else duration(us))


def _decimal(value: float | None) -> Cell:
    return number(None if value is None else decimal(value))


def _rounds(latency: Latency) -> Cell:
    failed = f"{latency.failed_rounds} failed" if latency.failed_rounds else ""
    return number(None) if latency.rounds is None else Cell(str(latency.rounds), failed)


def _ends(low: float | None, high: float | None) -> Cell:
    if low is None or high is None:
        return number(None)
    unit = time_unit((low, high))
    return Cell(f"{unit.write(low)}{DASH}{unit.write(high, unit=True)}")


def _interval(interval: Interval | None) -> Cell:
    return number(None) if interval is None else _ends(interval.low, interval.high)


def explain(result: Unsupported | Failed | NoResult) -> Cell:
    """Why there is no figure."""
    log = f" (log: {result.log})" if isinstance(result, Failed) and result.log else ""
    return Cell(result.kind, clipped(result.reason, REASON_LENGTH) + log, "problem")
