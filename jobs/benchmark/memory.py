"""Memory of every measured cell, in processes of its own after the timed ones.

Looking at memory disturbs what is timed: a tool that is asked for its peak has a thread that looks again and again.
So these processes are apart, they disturb nobody's order, and nothing that they time is kept.
"""

from statistics import median

from common.schema.benchmark import RUNNERS, Cell, MemoryLine
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Measured, Memory, MemoryOutcome
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.protocol import Bench, file_name, measured_cells
from jobs.benchmark.statistics import KIB_PER_MIB, memory_of
from jobs.benchmark.wanted import Wanted

# The median of a few: a process's memory differs little from the next one's.
PROCESSES = 3
# The first inference takes all that there is to take; the others would show what leaks.
RUNS = 3


def run(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    """Run what the ledger lacks; a process that failed is not run again. Raises TargetLostError."""
    settings = brief(bench.settings)
    for cell, session in measured_cells(ledger.index, wanted):
        number = session.line.session
        there = len(ledger.index.memory(number, cell))
        for attempt in range(there, PROCESSES):
            log = bench.logs / f"{number:03d}-{file_name(cell)}-memory-{attempt}.log"
            ended = bench.target.memory(bench.model(cell), cell, settings, log)
            # Nothing that it timed is kept.
            kept = memory_of(ended) if isinstance(ended, Measured) else ended
            ledger.append(MemoryLine(session=number, cell=cell, outcome=kept))
        if there < PROCESSES:
            bench.say(_describe(cell, ledger.index.memory(number, cell)))


def brief(settings: Settings) -> Settings:
    """The settings of a process that is not timed: some inferences, however long they take."""
    few = {"warmup_runs": 1, "warmup_min_secs": 0.0, "num_runs": RUNS, "min_secs": 0.0}
    return settings.model_copy(update=few)


def _describe(cell: Cell, outcomes: list[MemoryOutcome]) -> str:
    where = f"memory  {cell.variant} {cell.backend} x{cell.threads}{RUNNERS[cell.runner]}"
    known = [one.overall_kib for one in outcomes if isinstance(one, Memory)]
    if known:
        return f"{where}  {median(known) / KIB_PER_MIB:,.1f} MiB"
    failed = next(one.reason for one in outcomes if not isinstance(one, Memory))
    return f"{where}  FAILED: {failed}"
