"""Devices and backends: a chip for each with its own winner, and the one file for all of them. Pure."""

from collections.abc import Iterator

from common.numbers import percent, speedup
from common.schema.examination import Operator
from common.schema.results import Results
from jobs.report.blocks import Chip, Chips
from jobs.report.document import Section
from jobs.report.names import Grid, Setting, variant_labels
from jobs.report.verdicts import spoken, winner


def section(results: Results) -> Section | None:
    """The chapter; None where nothing was measured."""
    grid = Grid(results)
    if not grid.settings:
        return None
    chips = Chips("Devices and backends", tuple(_chip(results, grid, setting) for setting in _ordered(grid)))
    return Section("devices", "Devices and backends", tuple(_overall(results)), (chips,))


def _ordered(grid: Grid) -> Iterator[Setting]:
    """The deciding one first."""
    if grid.first is not None:
        yield grid.first
    yield from (setting for setting in grid.settings if setting != grid.first)


def _chip(results: Results, grid: Grid, setting: Setting) -> Chip:
    labels = variant_labels(results)
    name = winner(results, setting)
    notes = []
    if name is not None:
        found = grid.speed(name, setting)
        if found is not None and found.ratio is not None:
            notes.append(speedup(found.ratio))
    elif spoken(results) is not None:
        notes.append(_no_winner(results, setting))
    share, told = _delegated(grid, setting, name or results.reference)
    notes += [told] if told else []
    label = "nothing judged" if spoken(results) is None else "no winner"
    return Chip(grid.key(setting), setting.label, labels[name] if name else label, " · ".join(notes), share)


def _no_winner(results: Results, setting: Setting) -> str:
    """Why nothing wins there, as it was decided."""
    place = Grid.place(setting)
    decided = () if results.choice is None else results.choice.winners
    reason = next((found.reason for found in decided if found.setting == place), "")
    if setting == Grid(results).first and results.choice is not None and results.choice.confidence is not None:
        reason = results.choice.confidence.reason
    return "functional only" if setting.functional_only else reason or "nothing faster that may be shipped"


def _delegated(grid: Grid, setting: Setting, name: str) -> tuple[float | None, str]:
    """The share of the operators' time inside the delegate; of the nodes, where no operator was timed."""
    latency = grid.latency(name, setting)
    if setting.backend == "cpu":
        return 0.0, "built-in kernels"
    if latency is None:
        return None, ""
    share = delegated_share(latency.operators)
    if share is not None:
        return share, f"{percent(round(share, 3))} of the time on {setting.backend_label}"
    found = latency.delegation
    if found is not None and found.nodes_delegated is not None and found.nodes_total:
        nodes = f"{found.nodes_delegated} of {found.nodes_total} nodes on {setting.backend_label}"
        return found.nodes_delegated / found.nodes_total, nodes
    return None, ""


def delegated_share(operators: tuple[Operator, ...]) -> float | None:
    """The delegate's share of the operators' time; None where none was timed."""
    whole = sum(operator.mean_us for operator in operators)
    return sum(operator.mean_us for operator in operators if operator.delegated) / whole if whole > 0 else None


def _overall(results: Results) -> Iterator[str]:
    choice = results.choice
    if choice is None or choice.overall is None:
        return
    best = choice.overall.best
    name = "none" if best is None else variant_labels(results).get(best, best)
    yield f"One file for all: {name}, {choice.overall.rule}."
