"""Latency under load without a pause: points to figures. Pure."""

from collections.abc import Sequence

import numpy as np

from common.schema.benchmark import (
    LedgerLine,
    Sustained,
    SustainedLine,
    SustainedPoint,
    SustainedStart,
)
from common.schema.outcome import Failed, Measured, Unsupported
from common.schema.power import Energy, NoEnergy
from jobs.benchmark.energy import energy

WINDOW_S = 60.0
# Of a load that is too short for two whole minutes beside each other.
WINDOW_SHARE = 1 / 3
THROTTLED = 1.10
# So many processes in a row that fail end a cell: they would not heat it either.
MOST_FAILURES = 3


def window_s(duration_s: float) -> float:
    """How long the first and the last "minute" of a load are."""
    return min(WINDOW_S, duration_s * WINDOW_SHARE)


def over(lines: Sequence[SustainedLine], duration_s: float) -> bool:
    """Whether a load has come to its end: its time is over, or it fails again and again."""
    last = lines[-MOST_FAILURES:]
    if len(last) == MOST_FAILURES and not any(isinstance(line.outcome, Measured) for line in last):
        return True
    return bool(lines) and lines[-1].end_s >= duration_s


def processes(lines: Sequence[LedgerLine], start: SustainedStart) -> list[SustainedLine]:
    """The processes of one attempt, in order."""
    key = (start.session, start.cell, start.attempt)
    return [x for x in lines if isinstance(x, SustainedLine) and (x.session, x.cell, x.attempt) == key]


def points(lines: Sequence[SustainedLine]) -> tuple[SustainedPoint, ...]:
    """A point for every process that was measured."""
    return tuple(
        SustainedPoint(
            at_s=(line.start_s + line.end_s) / 2,
            latency_us=line.outcome.steady.typical_us,
            celsius=None if line.power is None else line.power.celsius,
        )
        for line in lines
        if isinstance(line.outcome, Measured)
    )


def median_us(found: Sequence[SustainedPoint], begin_s: float, end_s: float) -> float | None:
    """The median of the points between two moments; None where there is none."""
    values = [point.latency_us for point in found if begin_s <= point.at_s <= end_s]
    return float(np.median(values)) if values else None


def throttled_s(found: Sequence[SustainedPoint], end_s: float, width_s: float) -> float | None:
    """When it throttled for good: the middle of the first window from which on the median of every window stays
    more than 10 % above the first one's. None if the last window is not."""
    limit = median_us(found, 0.0, width_s)
    if limit is None:
        return None
    limit *= THROTTLED
    since = None
    begins = [point.at_s for point in found if point.at_s + width_s <= end_s]
    for begin in sorted([*begins, end_s - width_s]):
        value = median_us(found, begin, begin + width_s)
        if value is None or value <= limit:
            since = None
        elif since is None:
            since = begin + width_s / 2
    return since


def sustained(lines: Sequence[LedgerLine], start: SustainedStart) -> Sustained:
    """The figures of one attempt that is over."""
    own = processes(lines, start)
    found, width = points(own), window_s(start.duration_s)
    # Where processes failed the time of the load is not what was asked for.
    end = own[-1].end_s if own else 0.0
    enough = bool(found) and end >= start.duration_s
    first = median_us(found, 0.0, width) if enough else None
    last = median_us(found, end - width, end) if enough else None
    whole = first is not None and last is not None
    return Sustained(
        cell=start.cell,
        session=start.session,
        duration_s=start.duration_s,
        window_s=width,
        points=found,
        first_us=first if whole else None,
        last_us=last if whole else None,
        throttled_s=throttled_s(found, end, width) if whole else None,
        energy=_energy(own, start),
        problem=_problem(own, start),
    )


def _energy(own: Sequence[SustainedLine], start: SustainedStart) -> Energy | NoEnergy:
    measured = [line.outcome for line in own if isinstance(line.outcome, Measured)]
    if len(measured) < len(own):
        return NoEnergy(reason="a process failed, and nobody counted its inferences")
    inferences = sum(outcome.warmup.count + outcome.steady.count for outcome in measured)
    return energy(start.idle, [start.before, *(line.power for line in own)], inferences)


def _problem(own: Sequence[SustainedLine], start: SustainedStart) -> str | None:
    failed = [line for line in own if isinstance(line.outcome, Failed | Unsupported)]
    if failed and isinstance(outcome := failed[0].outcome, Failed | Unsupported):
        return (
            f"{len(failed)} of {len(own)} processes failed, the first after {failed[0].end_s:.0f} s: {outcome.reason}"
        )
    readings = [x for x in (start.before, *(line.power for line in own)) if x is not None]
    if len({reading.connections for reading in readings}) > 1:
        return "the device was lost and found again, and cooled down meanwhile"
    return None
