"""What Android devices tell besides the figures: delegation, answers, operators. Pure."""

from common.numbers import ABSENT, clipped, count, listed, percent, proportion, speedup
from common.schema.base import Interval
from common.schema.examination import Operator, OutputCheck
from common.schema.outcome import Delegation
from common.schema.results import Results
from jobs.report.document import Cell, Column, Row, Table
from jobs.report.names import Grid, Setting, variant_labels

HEAVIEST = 3
KIND_LENGTH = 40


def delegation(found: Delegation | None) -> Cell:
    """How much of the model the delegate ran."""
    if found is None:
        return Cell(ABSENT)
    if found.extent == "none":
        return Cell("none", "plain kernels")
    told = []
    if found.nodes_delegated is not None:
        of = "" if found.nodes_total is None else f" of {found.nodes_total}"
        told.append(f"{found.nodes_delegated}{of} nodes")
    if found.partitions is not None:
        told.append(count(found.partitions, "partition"))
    if found.kernel is not None:
        told.append(found.kernel)
    return Cell(found.extent, ", ".join(told), "plain" if found.extent == "complete" else "problem")


def answers(found: OutputCheck | None) -> Cell:
    """Whether the device answers as this machine does."""
    if found is None:
        return Cell(ABSENT)
    agreed = _agreed(found)
    if found.wrong is not None:
        return Cell("wrong", clipped(f"{found.wrong}; {agreed}", 160), "problem")
    return Cell(agreed, f"largest difference {found.largest_difference:.2g}")


def _agreed(found: OutputCheck) -> str:
    if found.top1_agreement is not None:
        return f"{proportion(found.top1_agreement)} agree"
    asked = count(found.images, "sample")
    return asked if found.relative_error is None else f"{percent(found.relative_error)} off, {asked}"


def app(found: Interval | None) -> Cell:
    """The app's latency over the binary's."""
    return Cell(ABSENT if found is None else speedup(found))


def operators(results: Results) -> tuple[Table, ...]:
    """The heaviest operators of every variant, and what ran outside of the delegate: a table per setting."""
    grid = Grid(results)
    return tuple(_operators(results, grid, s) for s in grid.settings if _profiled(results, grid, s))


def _profiled(results: Results, grid: Grid, setting: Setting) -> bool:
    found = [grid.latency(variant.name, setting) for variant in results.variants]
    return any(latency is not None and latency.operators for latency in found)


def _operators(results: Results, grid: Grid, setting: Setting) -> Table:
    labels = variant_labels(results)
    rows = []
    for variant in results.variants:
        latency = grid.latency(variant.name, setting)
        found = () if latency is None else latency.operators
        rows.append(Row(labels[variant.name], (Cell(_named(found[:HEAVIEST])), Cell(_outside(found, setting)))))
    columns = (Column("Heaviest operators", numeric=False), Column("Outside of the delegate", numeric=False))
    notes = ("Shares of one inference, from a run with the profiler on, which is not the one that was timed.",)
    return Table(f"Operators: {setting.label}", "Variant", columns, tuple(rows), notes)


def _outside(found: tuple[Operator, ...], setting: Setting) -> str:
    if not found:
        return ABSENT
    if setting.backend == "cpu":
        return "everything: plain kernels"
    return _named(tuple(operator for operator in found if not operator.delegated)) if found else ABSENT


def _named(found: tuple[Operator, ...]) -> str:
    named = tuple(f"{clipped(o.kind, KIND_LENGTH)} ({o.count} x, {percent(o.share)})" for o in found)
    return listed(named) if named else "nothing"
