"""How much one and the same file differs between two sessions of a device, from the sessions that it has shown. Pure.

A session is told by the typical latency of each cell in it; cells are told by their file's hash, so that another file
of the same name is another cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import expm1, log, sqrt
from statistics import NormalDist, median

from common.schema.base import Count
from common.schema.benchmark import Cell, LedgerLine, RunLine, SessionLine
from common.schema.comparison import Spread
from common.schema.outcome import Measured
from common.schema.results import Trace

# Where a device has shown too little: a network's ratio to another's moved by up to so much in seven pairs of sessions
# on a machine that others use (docs/benchmarks.md), a latency by so much from process to process (docs/measuring.md).
ASSUMED_BESIDE, ASSUMED_ALONE = 0.16, 0.20
# Sessions from which on their own spread is believed: the quantile of fewer is too wide to claim anything.
ENOUGH_SESSIONS = 5
CONFIDENCE = 0.95
# Of a results file from elsewhere: a latency in microseconds, and a logarithm, beyond it is no measurement.
TINY, HUGE, MOST = 1e-9, 1e15, 50.0
# File, backend, threads, runner.
Key = tuple[str, str, int, str]


@dataclass(frozen=True)
class Session:
    """A session of a target: when it began, on which machine and with which settings (`conditions`, equal where
    sessions may be compared), and the typical latency in microseconds of each cell, by key; `reference` is the hash
    of the file that the others are compared with."""

    target: str
    began: str
    conditions: str
    reference: str | None
    typical_us: Mapping[Key, float] = field(default_factory=dict)


def key(cell: Cell) -> Key:
    """What tells the cells of all sessions apart."""
    return cell.model_sha256, cell.backend, cell.threads, cell.runner


def of_ledger(target: str, reference: str, lines: Sequence[LedgerLine]) -> Iterator[Session]:
    """Every session of a ledger."""
    runs: dict[Count, list[RunLine]] = {}
    for line in lines:
        if isinstance(line, RunLine):
            runs.setdefault(line.session, []).append(line)
    for line in lines:
        if isinstance(line, SessionLine):
            figures: dict[Key, list[float]] = {}
            for run in runs.get(line.session, []):
                if isinstance(run.outcome, Measured):
                    figures.setdefault(key(run.cell), []).append(run.outcome.steady.typical_us)
            own = next((cell.model_sha256 for cell in line.cells if cell.variant == reference), None)
            conditions = f"{line.fingerprint} {line.settings_sha256}"
            typical = {key: median(values) for key, values in figures.items()}
            yield Session(target, line.started_at.isoformat(), conditions, own, typical)


def of_traces(traces: Sequence[Trace], hashes: Mapping[str, str], run: str, reference: str) -> Iterator[Session]:
    """The sessions that the figures of a results file are of, where no ledger is at hand; `hashes` are the files' by
    variant, `run` is a name that no other run has. Their settings are not known, so that they stand for themselves."""
    for target, number in dict.fromkeys((trace.target, trace.session) for trace in traces):
        typical: dict[Key, float] = {}
        for trace in (one for one in traces if (one.target, one.session) == (target, number)):
            figures: dict[str, list[float]] = {}
            for process in trace.processes:
                if process.latency_us and process.discarded is None and process.variant in hashes:
                    figures.setdefault(hashes[process.variant], []).append(process.latency_us)
            typical |= {(file, trace.backend, trace.threads, trace.runner): median(us) for file, us in figures.items()}
        yield Session(target, f"{run} {number}", "", hashes.get(reference), typical)


def spread(target: str, sessions: Sequence[Session], *, beside_reference: bool) -> Spread:
    """What the sessions of a target show; sessions that both runs hold count once.

    Latencies spread by factors. From ENOUGH_SESSIONS on it is the interval that holds the difference of two further
    sessions with a confidence of 95 %: Student's quantile times the square root of two times the standard deviation,
    pooled over the cells, with the degrees of freedom of the sessions, since all cells of one share its moment.
    """
    own = {session.began: session for session in sessions if session.target == target}
    groups = [values for values in _by_cell(tuple(own.values()), beside_reference) if len(values) > 1]
    shown = max((len(values) for values in groups), default=0)
    differences = [abs(one - other) for values in groups for one, other in combinations(values, 2)]
    largest = expm1(min(MOST, max(differences))) if differences else None
    assumed = ASSUMED_BESIDE if beside_reference else ASSUMED_ALONE
    if shown < ENOUGH_SESSIONS:
        share, stated = max(assumed, largest or 0.0), True
    else:
        squares = sum(sum((value - sum(values) / len(values)) ** 2 for value in values) for values in groups)
        deviation = sqrt(squares / sum(len(values) - 1 for values in groups))
        share, stated = expm1(min(MOST, student(shown - 1) * sqrt(2) * deviation)), False
    return Spread(
        target=target,
        beside_reference=beside_reference,
        share=share,
        assumed=stated,
        sessions=max(shown, min(1, len(own))),
        largest=largest,
    )


def _by_cell(sessions: Sequence[Session], beside_reference: bool) -> Iterator[list[float]]:
    """The logarithms of each cell's latencies under one set of conditions, over the sessions."""
    found: dict[tuple[object, ...], list[float]] = {}
    for session in sessions:
        for key, us in session.typical_us.items():
            if not TINY < us < HUGE:
                continue
            if not beside_reference:
                found.setdefault((session.conditions, key), []).append(log(us))
                continue
            own = None if session.reference is None else session.typical_us.get((session.reference, *key[1:]))
            if own is not None and TINY < own < HUGE and key[0] != session.reference:
                found.setdefault((session.conditions, session.reference, key), []).append(log(us / own))
    yield from found.values()


def student(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Two-sided quantile of Student's t for four degrees of freedom or more (Abramowitz and Stegun 26.7.5)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(degrees**power) for power, term in enumerate(terms, 1))
