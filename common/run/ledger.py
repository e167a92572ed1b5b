"""Whether a benchmark's rows rest on its ledger."""

import math
from collections.abc import Sequence
from pathlib import Path

from common.errors import UsageError
from common.ledger import read_lines
from common.schema.benchmark import (
    Benchmark,
    Cell,
    LedgerLine,
    MemoryLine,
    RunLine,
    SessionLine,
    Summary,
)
from common.schema.outcome import Measured, Memory

MAKE_AGAIN = "delete benchmark.json beside it and run make again"
# The ledger's figures and the rows' are the same doubles, printed and read.
CLOSE = 1e-6
KIB_PER_MIB = 1024


def check_ledger(benchmark: Benchmark, ledger: Path) -> tuple[LedgerLine, ...]:
    """The ledger's lines, without samples.

    Raises UsageError for a line that cannot be read, and for a row that the lines do not show.
    """
    lines = tuple(read_lines(ledger))
    typical: dict[tuple[int, Cell], list[float]] = {}
    memory: dict[tuple[int, Cell], list[float]] = {}
    for line in lines:
        if isinstance(line, RunLine) and isinstance(line.outcome, Measured):
            typical.setdefault((line.session, line.cell), []).append(line.outcome.steady.typical_us)
        if isinstance(line, MemoryLine) and isinstance(line.outcome, Memory):
            memory.setdefault((line.session, line.cell), []).append(line.outcome.overall_kib / KIB_PER_MIB)
    for row in benchmark.rows:
        if not isinstance(row.result, Summary):
            continue
        what, place, told = f"{row.cell.variant} on {row.cell.backend}", (row.session, row.cell), row.result
        if not _shown(told.latency_us, told.rounds, typical.get(place, [])):
            raise UsageError(f"{ledger} does not hold the {told.rounds} rounds of {what}", hint=MAKE_AGAIN)
        if told.memory_processes and not _shown(told.memory_overall_mib, told.memory_processes, memory.get(place, [])):
            raise UsageError(f"{ledger} does not hold the memory of {what}", hint=MAKE_AGAIN)
    return lines


def _shown(figure: float, count: int, values: Sequence[float]) -> bool:
    """Whether there are so many values, and the figure lies among them."""
    if len(values) < count:
        return False
    low, high = min(values), max(values)
    return low <= figure <= high or any(math.isclose(figure, end, rel_tol=CLOSE) for end in (low, high))


def foreign_sessions(benchmark: Benchmark, lines: Sequence[LedgerLine]) -> frozenset[int]:
    """Sessions that a machine of another fingerprint measured."""
    own = benchmark.target.fingerprint
    return frozenset(line.session for line in lines if isinstance(line, SessionLine) and line.fingerprint != own)
