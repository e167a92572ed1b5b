"""Whether a benchmark's rows rest on its ledger."""

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.errors import UsageError
from common.schema.benchmark import (
    Benchmark,
    LedgerLine,
    Row,
    RunLine,
    SessionLine,
    Summary,
)
from common.schema.outcome import Measured

LINE: TypeAdapter[LedgerLine] = TypeAdapter(LedgerLine)
MAKE_AGAIN = "delete benchmark.json beside it and run make again"
# The ledger's figures and the rows' are the same doubles, printed and read.
CLOSE = 1e-6


def check_ledger(benchmark: Benchmark, ledger: Path) -> tuple[LedgerLine, ...]:
    """The ledger's lines. Raises UsageError for a line that cannot be read, or a row that its lines do not show."""
    lines = []
    with ledger.open(encoding="utf-8", errors="replace") as stream:
        for number, text in enumerate(stream, 1):
            try:
                lines.append(LINE.validate_json(text))
            except ValidationError:
                raise UsageError(f"{ledger}:{number} is damaged", hint=MAKE_AGAIN) from None
    for row in benchmark.rows:
        if isinstance(row.result, Summary) and not _shown(row, row.result, lines):
            what = f"{row.cell.variant} on {row.cell.backend}"
            raise UsageError(f"{ledger} does not hold the {row.result.rounds} rounds of {what}", hint=MAKE_AGAIN)
    return tuple(lines)


def _shown(row: Row, summary: Summary, lines: Sequence[LedgerLine]) -> bool:
    """Whether the row's session has its rounds, and its latency lies among theirs."""
    runs = [x for x in lines if isinstance(x, RunLine) and (x.session, x.cell) == (row.session, row.cell)]
    measured = [run.outcome.steady for run in runs if isinstance(run.outcome, Measured)]
    typical = [stat.mean_us if stat.median_us is None else stat.median_us for stat in measured]
    if len(typical) < summary.rounds:
        return False
    low, high = min(typical), max(typical)
    near = any(math.isclose(summary.latency_us, end, rel_tol=CLOSE) for end in (low, high))
    return near or low <= summary.latency_us <= high


def foreign_sessions(benchmark: Benchmark, lines: Sequence[LedgerLine]) -> frozenset[int]:
    """Sessions that a machine of another fingerprint measured."""
    own = benchmark.target.fingerprint
    return frozenset(line.session for line in lines if isinstance(line, SessionLine) and line.fingerprint != own)
