"""Why the recommended variant is faster or slower than the reference. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from common.schema.results import Results
from jobs.report import why
from jobs.report.blocks import Prose
from jobs.report.document import Block, Section, drawn
from jobs.report.draw import operators
from jobs.report.names import Grid

PROFILED = "The times of operators are from runs with the profiler on, which are not those that count."


def section(results: Results) -> Section | None:
    """The chapter; None where no operator was timed and no file was read."""
    blocks = tuple(_blocks(results))
    return Section("why", "Why fast or slow", (PROFILED,), blocks) if blocks else None


def _blocks(results: Results) -> Iterator[Block]:
    pair = why.compared(results)
    for setting in Grid(results).settings:
        tables = () if pair is None else tuple(why.between(results, *pair, (setting,)))
        for table in tables:
            told = why.told(table)
            if told:
                yield Prose(told, table.setting)
        yield from drawn(operators.work(results, setting))
        if pair is not None:
            yield from drawn(operators.beside(results, setting, *pair))
        yield from (replace(table, notes=()) for table in tables)
