"""From the ledger to the result: one row per cell, and what a reader should be warned of. Pure."""

from collections.abc import Iterator, Sequence

from common.schema.benchmark import (
    Cell,
    Environment,
    Examination,
    ExaminationLine,
    LedgerLine,
    Row,
    Summary,
)
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.plan import Wanted, binary_of, group, runs_of, shown_session
from jobs.benchmark.statistics import STUDENT, summarise

FEW_ROUNDS = max(STUDENT) + 1
# Between processes of one and the same model; above it, small differences mean little.
WIDE_SPREAD = 0.2
# Share of the cores that others use.
BUSY = 0.25


def rows(lines: Sequence[LedgerLine], wanted: Wanted) -> tuple[Row, ...]:
    """One row for every wanted cell, each from one session."""
    return tuple(_row(lines, cell, shown_session(lines, cell, wanted).session, wanted) for cell in wanted.cells)


def _row(lines: Sequence[LedgerLine], cell: Cell, session: int, wanted: Wanted) -> Row:
    runs = runs_of(lines, session, cell)
    failed = [run.outcome for run in runs if isinstance(run.outcome, Failed)]
    unsupported = [run.outcome for run in runs if isinstance(run.outcome, Unsupported)]
    if not any(isinstance(run.outcome, Measured) for run in runs):
        return Row(cell=cell, session=session, result=(unsupported or failed)[0], failed_rounds=len(failed))
    beside = next(c for c in wanted.cells if c.variant == wanted.reference and group(c) == group(cell))
    partner = [] if cell == beside else runs_of(lines, session, beside)
    binary = [] if cell.runner == "binary" else runs_of(lines, session, binary_of(cell))
    return Row(
        cell=cell,
        session=session,
        result=summarise(runs, partner, wanted.seed, binary),
        # A backend that was there in another round has failed in this one.
        failed_rounds=len(failed) + len(unsupported),
        examination=_examination(lines, cell, session),
    )


def _examination(lines: Sequence[LedgerLine], cell: Cell, session: int) -> Examination | None:
    found = [x for x in lines if isinstance(x, ExaminationLine) and (x.session, x.cell) == (session, cell)]
    return found[-1].examination if found else None


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
