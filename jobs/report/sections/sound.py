"""Whether the measurement is sound: sessions, what the references told of them, and the warnings. Pure."""

from collections.abc import Iterator

from common.numbers import ABSENT, percent
from common.schema.results import Results, Trace
from jobs.report.blocks import Notes
from jobs.report.document import Block, Cell, Column, Row, Section, Table, drawn
from jobs.report.draw import trace
from jobs.report.names import Grid, Setting

STOPPED = {
    "narrow": "intervals narrow enough",
    "most rounds": "most_rounds reached",
    "budget": "budget spent",
    "too busy": "too busy",
}
ANCHOR = "sound"


def section(results: Results, missing: tuple[str, ...]) -> Section:
    """The chapter, with what the results do not hold."""
    charts = drawn(*(draw(results, found) for found in results.traces for draw in (trace.strip, trace.trace)))
    blocks: tuple[Block, ...] = (*charts, *_sessions(results), *_lists(results, missing))
    rounds = any(m.result.kind == "latency" and m.result.rounds is not None for m in results.measurements)
    return Section(ANCHOR, "Is the measurement sound?", (_UNIT,) if rounds else (), blocks)


_UNIT = (
    "Every figure is from fresh processes: a latency is the median of their medians, a speed-up pairs each process "
    "with the reference before and after it. Intervals are over the rounds (95 %)."
)


def _lists(results: Results, missing: tuple[str, ...]) -> Iterator[Notes]:
    if results.warnings:
        yield Notes("Warnings", results.warnings, "problem")
    if missing:
        yield Notes("Not in this report", missing)


def _sessions(results: Results) -> Iterator[Table]:
    """A row per setting and session; of results without processes only the noise floors."""
    columns = (
        Column("Rounds"),
        Column("Processes"),
        Column("Discarded"),
        Column("A/A noise floor"),
        Column("Ended by", numeric=False),
    )
    rows = tuple(_of_traces(results)) or tuple(_of_judgement(results))
    if rows:
        notes = ("A/A noise floor: by so much one and the same file, measured again and again, differs from itself.",)
        yield Table("Sessions", "Setting", columns, rows, notes)


def _of_traces(results: Results) -> Iterator[Row]:
    for found in results.traces:
        told = found.facts
        setting = Setting(found.target, found.backend, found.threads, functional_only=False, runner=found.runner)
        rounds = {process.round for process in found.processes}
        stopped = None if told is None else told.stopped
        cells = (
            Cell(str(len(rounds))),
            Cell(str(len(found.processes))),
            _discarded(found),
            Cell(ABSENT if found.floor is None else percent(round(found.floor, 4))),
            Cell(ABSENT if stopped is None else STOPPED[stopped]),
        )
        yield Row(setting.label, cells)


def _discarded(traced: Trace) -> Cell:
    found = [process.discarded for process in traced.processes if process.discarded is not None]
    kinds = tuple(f"{found.count(kind)} {kind}" for kind in dict.fromkeys(found))
    return Cell(str(len(found)), ", ".join(kinds), "problem" if found else "plain")


def _of_judgement(results: Results) -> Iterator[Row]:
    grid = Grid(results)
    for setting in grid.settings:
        found = [grid.speed(variant.name, setting) for variant in results.variants]
        known = [speed for speed in found if speed is not None and speed.floor is not None]
        measured = [grid.latency(variant.name, setting) for variant in results.variants]
        rounds = max((x.rounds for x in measured if x is not None and x.rounds is not None), default=None)
        if known and known[0].floor is not None:
            floor = Cell(percent(known[0].floor), "assumed" if known[0].floor_assumed else "")
            several = Cell(ABSENT if rounds is None else str(rounds))
            yield Row(setting.label, (several, Cell(ABSENT), Cell(ABSENT), floor, Cell(ABSENT)))
