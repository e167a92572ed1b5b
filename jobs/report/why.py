"""Why one variant is faster than another, layer by layer. Pure."""

from collections.abc import Iterator

from common.numbers import ABSENT, clipped
from common.schema.examination import LayerTime
from common.schema.results import Results
from common.why import Side, why
from jobs.report.document import Cell, Column, Row, Table
from jobs.report.names import Grid, Setting, variant_labels

NAME_LENGTH = 60
PROFILED = "From runs with the profiler on, which are not those timed."


def compared(results: Results) -> tuple[str, str] | None:
    """The reference and the variant that stands beside it: the recommended one; None without one."""
    choice = results.choice
    if choice is None or choice.best is None or choice.best == choice.reference:
        return None
    return choice.reference, choice.best


def between(results: Results, first: str, second: str, settings: tuple[Setting, ...] | None = None) -> Iterator[Table]:
    """The same of any two variants, by their names, in all settings unless some are given."""
    grid = Grid(results)
    for setting in grid.settings if settings is None else settings:
        sides = [_side(results, grid, setting, name) for name in (first, second)]
        if sides[0] is not None and sides[1] is not None:
            yield _table(results, setting, sides[0], sides[1])


def told(table: Table) -> str:
    """The reasons of such a table as one sentence; empty where there are none."""
    reasons = [note.rstrip(".") for note in table.notes if note != PROFILED]
    return f"{'; '.join(reasons)}." if reasons else ""


def _side(results: Results, grid: Grid, setting: Setting, name: str) -> Side | None:
    latency = grid.latency(name, setting)
    proof = next((variant.proof for variant in results.variants if variant.name == name), None)
    if latency is None or not latency.layers or proof is None:
        return None
    return Side(variant_labels(results)[name], latency.layers, proof)


def _table(results: Results, setting: Setting, first: Side, second: Side) -> Table:
    processor = next((target.processor for target in results.targets if target.name == setting.target), None)
    found = why(first, second, processor)
    rows = []
    for pair in found.layers:
        layer = pair.first or pair.second
        if layer is not None:
            cells = (Cell(layer.kind), _time(pair.first), _time(pair.second))
            rows.append(Row(clipped(layer.name, NAME_LENGTH) or ABSENT, cells))
    columns = (Column("Operator", numeric=False), Column(f"{first.name} (µs)"), Column(f"{second.name} (µs)"))
    notes = (*(f"{reason}." for reason in found.reasons), PROFILED)
    key = Grid(results).key(setting)
    return Table(f"Layer by layer: {setting.label}", "Layer", columns, tuple(rows), notes, folded=True, setting=key)


def _time(layer: LayerTime | None) -> Cell:
    if layer is None:
        return Cell(ABSENT)
    return Cell(f"{layer.mean_us:,.1f}", "" if layer.delegated else "not delegated")
