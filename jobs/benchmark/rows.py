"""From the ledger to the result: one row per cell, and what a reader should be warned of. Pure."""

from collections.abc import Iterator, Sequence
from math import exp

from common.intervals import FEWEST_FOR_RANKS
from common.schema.benchmark import (
    Cell,
    Environment,
    Noise,
    Row,
    RunLine,
    SessionFacts,
    Summary,
)
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.ledger import Index
from jobs.benchmark.noise import noise
from jobs.benchmark.order import group
from jobs.benchmark.pairs import log_us
from jobs.benchmark.plan import Wanted, binary_of, shown_session
from jobs.benchmark.rounds import facts
from jobs.benchmark.session import Session
from jobs.benchmark.statistics import summarise

FEW_ROUNDS = FEWEST_FOR_RANKS
# Between processes of one and the same model; above it, small differences mean little.
WIDE_SPREAD = 0.2
# Share of the cores that others use.
BUSY = 0.25


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
    app = [] if cell.runner == "binary" else _by_round(runs, session.kept.get(binary_of(cell), []))
    return Row(
        cell=cell,
        session=number,
        result=summarise(runs, brackets, app),
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


def warnings(made: Sequence[Row], environment: Environment, cores: int, busy: float) -> tuple[str, ...]:
    """What a reader should know before trusting the figures, each with the next step; `busy` are the cores that
    others used, 0 where the measuring does not share them."""
    found = []
    summaries = [(row, row.result) for row in made if isinstance(row.result, Summary)]
    if environment.functional_only:
        found.append("This target shows that variants run, not how fast: its latencies are never ranked.")
    if busy > BUSY * cores:
        found.append(
            f"The machine was busy before the first process ({busy:.1f} of {cores} cores); close other programs."
        )
    if any(summary.rounds < FEW_ROUNDS for _, summary in summaries):
        found.append(f"Fewer than {FEW_ROUNDS} rounds: the intervals are wide; raise [benchmark] rounds.")
    wide = [row for row, s in summaries if s.latency_high_us - s.latency_low_us > WIDE_SPREAD * s.latency_us]
    if wide:
        names = ", ".join(sorted({row.cell.variant for row in wide}))
        found.append(
            f"Processes of the same variant differ by more than {WIDE_SPREAD:.0%} ({names}); "
            "trust the paired ratios rather than single latencies, or measure on a quieter machine."
        )
    failures = sum(row.failed_rounds for row in made)
    if failures:
        found.append(f"{failures} process(es) failed; their logs lie beside benchmark.json.")
    found += _examined(made)
    return tuple(found)


def _examined(made: Sequence[Row]) -> Iterator[str]:
    looked = [(row, row.examination) for row in made if row.examination is not None]
    for row, examination in looked:
        where = f"{row.cell.variant} on {row.cell.backend}"
        if examination.outputs is not None and examination.outputs.wrong is not None:
            yield f"{where} gives wrong answers: {examination.outputs.wrong}; its latency is not a result."
        for problem in examination.problems:
            yield f"{where} could not be looked at: {problem}."
