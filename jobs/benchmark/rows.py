"""From the ledger to the result: one row per cell, and what a reader should be warned of. Pure."""

from collections.abc import Sequence

from common.schema.benchmark import Cell, Environment, LedgerLine, Row, RunLine, SessionLine, Summary
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.plan import Wanted, runs_of, session_of
from jobs.benchmark.statistics import summarise

FEW_ROUNDS = 5
# Between processes of one and the same model; above it, small differences mean little.
WIDE_SPREAD = 0.2
# Load per core; the stages before this one leave about half of one core's behind.
BUSY = 0.75


def rows(lines: Sequence[LedgerLine], wanted: Wanted) -> tuple[Row, ...]:
    """One row for every wanted cell, each from one session."""
    made = []
    for cell in wanted.cells:
        session = (session_of(lines, cell, wanted) or _latest(lines, cell)).session
        runs = runs_of(lines, session, cell)
        beside = next(c for c in wanted.cells if c.variant == wanted.reference and _group(c) == _group(cell))
        partner = [] if cell == beside else runs_of(lines, session, beside)
        made.append(_row(cell, session, runs, partner, wanted.seed))
    return tuple(made)


def _group(cell: Cell) -> tuple[str, int]:
    return cell.backend, cell.threads


def _latest(lines: Sequence[LedgerLine], cell: Cell) -> SessionLine:
    return [line for line in lines if isinstance(line, SessionLine) and cell in line.cells][-1]


def _row(cell: Cell, session: int, runs: Sequence[RunLine], partner: Sequence[RunLine], seed: int) -> Row:
    failed = [run.outcome for run in runs if isinstance(run.outcome, Failed)]
    unsupported = [run.outcome for run in runs if isinstance(run.outcome, Unsupported)]
    result: Summary | Unsupported | Failed
    if any(isinstance(run.outcome, Measured) for run in runs):
        result = summarise(runs, partner, seed)
    else:
        result = (unsupported or failed)[0]
    return Row(cell=cell, session=session, result=result, failed_rounds=len(failed))


def warnings(made: Sequence[Row], environment: Environment, cores: int, load: float) -> tuple[str, ...]:
    """What a reader should know before trusting the figures, each with the next step."""
    found = []
    summaries = [(row, row.result) for row in made if isinstance(row.result, Summary)]
    if environment.functional_only:
        found.append("This target shows that variants run, not how fast: its latencies are never ranked.")
    if load > BUSY * cores:
        found.append(f"The machine was busy before the first process (load {load:.2f}); close other programs.")
    if any(summary.rounds < FEW_ROUNDS for _, summary in summaries):
        found.append(f"Fewer than {FEW_ROUNDS} rounds: the intervals are rough; raise [benchmark] rounds.")
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
    return tuple(found)
