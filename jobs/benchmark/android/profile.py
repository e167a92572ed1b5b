"""The operator profile that `benchmark_model` writes. Pure; raises ValueError for what is none.

It only looks like CSV: node types hold unquoted commas and names have tabs in their place, so fixed columns are
taken from the right; banner lines stand between the tables (tflite/profiling/profile_summary_formatter.cc).
"""

import re
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from common.schema.examination import Operator
from jobs.benchmark.android.delegation import KERNELS
from jobs.benchmark.layers import Timed

REGULAR_RUNS = "Operator-wise Profiling Info for Regular Benchmark Runs:"
RUN_ORDER, SUMMARY = "Run Order", "Summary by node type"
# first, avg_ms, %, cdf%, mem KB, times called, name
RUN_COLUMNS = 7
# count, avg_ms, avg %, cdf %, mem KB, times called
SUMMARY_COLUMNS = 6
DELEGATE_NAME = "Delegate/"
US_PER_MS = 1000.0


def operators(csv: str) -> tuple[Operator, ...]:
    """Every kind of operator of one inference, the heaviest first."""
    _, marked, runs = csv.partition(REGULAR_RUNS)
    if not marked:
        raise ValueError("there is no profile of the regular runs")
    inside = {kind for kind, values in _table(runs, RUN_ORDER, RUN_COLUMNS) if values[-1].startswith(DELEGATE_NAME)}
    inside |= set(KERNELS.values())
    found = [_operator(kind, values, kind in inside) for kind, values in _table(runs, SUMMARY, SUMMARY_COLUMNS)]
    if not found:
        raise ValueError("the profile lists no operators")
    return tuple(sorted(found, key=lambda operator: -operator.mean_us))


def timed(csv: str) -> tuple[Timed, ...]:
    """Every operator of one inference, in order; none inside of a delegate that tells nothing of it."""
    _, _, runs = csv.partition(REGULAR_RUNS)
    return tuple(_timed(kind, values) for kind, values in _table(runs, RUN_ORDER, RUN_COLUMNS))


def _timed(kind: str, values: Sequence[str]) -> Timed:
    inside, (_, colon, index) = values[-1].startswith(DELEGATE_NAME), values[-1].rpartition(":")
    try:
        return Timed(kind, None if inside or not colon else int(index), float(values[1]) * US_PER_MS)
    except ValueError:
        raise ValueError(f"the profile has a line that cannot be read: {kind}") from None


def _operator(kind: str, values: Sequence[str], delegated: bool) -> Operator:
    try:
        return Operator(
            kind=kind,
            count=int(values[0]),
            mean_us=float(values[1]) * US_PER_MS,
            share=float(values[2].removesuffix("%")) / 100,
            delegated=delegated,
        )
    except (ValueError, ValidationError):
        raise ValueError(f"the profile has a line that cannot be read: {kind}") from None


def _table(text: str, title: str, columns: int) -> Iterator[tuple[str, list[str]]]:
    """(node type, other columns) of the rows under a banner and its header."""
    found = re.search(rf"^=+ {re.escape(title)} =+\r?\n(.*)\r?\n", text, re.MULTILINE)
    if found is None:
        return
    for line in text[found.end() :].splitlines():
        if not line.strip():
            return
        kind, *values = line.rsplit(", ", columns)
        if len(values) != columns:
            raise ValueError(f"the profile has a line that cannot be read: {line[:80]}")
        yield kind, values
