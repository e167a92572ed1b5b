"""What Android devices tell besides the figures: delegation, answers, operators. Pure."""

from collections.abc import Iterator

from common.numbers import ABSENT, clipped, count, listed, percent, proportion, speedup
from common.schema.base import Interval
from common.schema.examination import Operator, OutputCheck
from common.schema.outcome import Delegation
from common.schema.results import Results
from jobs.report.document import Cell, Column, Row, Table
from jobs.report.names import Grid, Setting

HEAVIEST = 3
KIND_LENGTH = 40


def delegation(found: Delegation | None) -> Cell:
    """How much of the model the delegate ran."""
    if found is None:
        return Cell(ABSENT)
    if found.extent == "none":
        return Cell("none", "built-in kernels")
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


def operators(results: Results, name: str) -> Iterator[Table]:
    """The heaviest operators of a variant, and what was not delegated: a row per setting that was profiled."""
    grid = Grid(results)
    found = [(setting, latency) for setting in grid.settings if (latency := grid.latency(name, setting)) is not None]
    known = [(setting, latency.operators) for setting, latency in found if latency.operators]
    if not known:
        return
    columns = (Column("Heaviest", numeric=False), Column("Not delegated", numeric=False))
    rows = tuple(Row(s.label, (Cell(_named(ops[:HEAVIEST])), Cell(_outside(ops, s)))) for s, ops in known)
    yield Table("Operators", "Setting", columns, rows)


def _outside(found: tuple[Operator, ...], setting: Setting) -> str:
    if setting.backend == "cpu":
        return "everything: built-in kernels"
    return _named(tuple(operator for operator in found if not operator.delegated))


def _named(found: tuple[Operator, ...]) -> str:
    named = tuple(f"{clipped(o.kind, KIND_LENGTH)} ({o.count} x, {percent(round(o.share, 3))})" for o in found)
    return listed(named) if named else "nothing"
