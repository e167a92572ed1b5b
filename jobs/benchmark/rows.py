"""From the ledger to the result: one row per cell, and what its session told. Pure."""

from collections.abc import Sequence
from math import exp

from common.schema.benchmark import (
    Cell,
    Noise,
    Row,
    RunLine,
    SessionFacts,
)
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.ledger import Index
from jobs.benchmark.noise import noise
from jobs.benchmark.order import group
from jobs.benchmark.pairs import log_us
from jobs.benchmark.rounds import facts
from jobs.benchmark.session import Session
from jobs.benchmark.statistics import summarise
from jobs.benchmark.wanted import Wanted, binary_of, shown_session


def rows(index: Index, wanted: Wanted) -> tuple[Row, ...]:
    """One row for every wanted cell, each from one session."""
    return tuple(_row(index, cell, shown_session(index, cell, wanted), wanted) for cell in wanted.cells)


def sessions(index: Index, wanted: Wanted) -> tuple[SessionFacts, ...]:
    """Those that the rows are from."""
    return tuple(facts(session, wanted.limits) for session in _shown(index, wanted))


def noises(index: Index, wanted: Wanted) -> tuple[Noise, ...]:
    """What the references of those sessions tell."""
    return tuple(one for session in _shown(index, wanted) for one in noise(session))


def _shown(index: Index, wanted: Wanted) -> list[Session]:
    found = {shown_session(index, cell, wanted).line.session for cell in wanted.cells}
    return [index.sessions[number] for number in sorted(found)]


def _row(index: Index, cell: Cell, session: Session, wanted: Wanted) -> Row:
    number, runs = session.line.session, session.kept[cell]
    failed = [run.outcome for run in runs if isinstance(run.outcome, Failed)]
    unsupported = [run.outcome for run in runs if isinstance(run.outcome, Unsupported)]
    if not any(isinstance(run.outcome, Measured) for run in runs):
        return Row(cell=cell, session=number, result=(unsupported or failed)[0], failed_rounds=len(failed))
    beside = next(c for c in wanted.cells if c.variant == wanted.reference and group(c) == group(cell))
    brackets = [] if cell == beside else session.brackets_of(cell, beside)
    app = [] if cell.runner != "app" else _by_round(runs, session.kept.get(binary_of(cell), []))
    return Row(
        cell=cell,
        session=number,
        result=summarise(runs, brackets, app, index.memory(number, cell)),
        # A backend that was there in another round has failed in this one.
        failed_rounds=len(failed) + len(unsupported),
        examination=index.examination(number, cell, wanted.examined),
    )


def _by_round(runs: Sequence[RunLine], others: Sequence[RunLine]) -> list[float]:
    """Latency over the other one's, for every round in which both were measured."""
    beside = {run.round: run for run in others if isinstance(run.outcome, Measured)}
    own = {run.round: run for run in runs if isinstance(run.outcome, Measured)}
    return [
        exp(log_us(run, cpu=False) - log_us(beside[number], cpu=False))
        for number, run in own.items()
        if number in beside
    ]
