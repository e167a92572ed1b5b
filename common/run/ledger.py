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
    RunLine,
    SessionLine,
    Summary,
)
from common.schema.outcome import Measured

MAKE_AGAIN = "delete benchmark.json beside it and run make again"
# The ledger's figures and the rows' are the same doubles, printed and read.
CLOSE = 1e-6


def check_ledger(benchmark: Benchmark, ledger: Path) -> tuple[LedgerLine, ...]:
    """The ledger's lines, without samples.

    Raises UsageError for a line that cannot be read, and for a row that the lines do not show.
    """
    lines = tuple(read_lines(ledger))
    typical: dict[tuple[int, Cell], list[float]] = {}
    for line in lines:
        if isinstance(line, RunLine) and isinstance(line.outcome, Measured):
            steady = line.outcome.steady
            latency = steady.mean_us if steady.median_us is None else steady.median_us
            typical.setdefault((line.session, line.cell), []).append(latency)
    for row in benchmark.rows:
        if isinstance(row.result, Summary) and not _shown(row.result, typical.get((row.session, row.cell), [])):
            what = f"{row.cell.variant} on {row.cell.backend}"
            raise UsageError(f"{ledger} does not hold the {row.result.rounds} rounds of {what}", hint=MAKE_AGAIN)
    return lines


def _shown(summary: Summary, typical: Sequence[float]) -> bool:
    """Whether there are its rounds, and its latency lies among theirs."""
    if len(typical) < summary.rounds:
        return False
    low, high = min(typical), max(typical)
    near = any(math.isclose(summary.latency_us, end, rel_tol=CLOSE) for end in (low, high))
    return near or low <= summary.latency_us <= high


def foreign_sessions(benchmark: Benchmark, lines: Sequence[LedgerLine]) -> frozenset[int]:
    """Sessions that a machine of another fingerprint measured."""
    own = benchmark.target.fingerprint
    return frozenset(line.session for line in lines if isinstance(line, SessionLine) and line.fingerprint != own)
