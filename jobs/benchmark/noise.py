"""What the references of a session tell of its noise: they are one file, measured again and again. Pure."""

from collections import defaultdict
from math import expm1
from statistics import median

from common.intervals import LEAST_FLOOR
from common.schema.benchmark import Noise
from jobs.benchmark.order import Group
from jobs.benchmark.pairs import uses_cpu
from jobs.benchmark.session import Session, references_between

# Repetitions of segments over segments; above it nothing is claimed.
BUSY_SHARE = 0.5


def noise(session: Session) -> tuple[Noise, ...]:
    """Of every backend, thread count and runner of a session; none of the form before.

    All have the largest floor that one of them showed: the few references of one backend may agree by chance, and the
    noise comes from the machine.
    """
    if not session.bracketed:
        return ()
    found = [_of_group(session, name) for name in session.segments]
    floor = max((one.floor for one in found if one.floor is not None), default=None)
    return tuple(one.model_copy(update={"floor": floor}) for one in found)


def _of_group(session: Session, name: Group) -> Noise:
    kept = session.segments[name]
    between = [(place, bracket) for place, bracket in references_between(kept) if bracket.measured]
    cpu = uses_cpu([bracket for _, bracket in between])
    by_place: dict[int, list[float]] = defaultdict(list)
    for place, bracket in between:
        by_place[place].append(bracket.log_ratio(cpu=cpu))
    asked = [one.attempts for one in kept if one.attempts]
    redone = sum(attempts - 1 for attempts in asked)
    backend, threads, runner = name
    return Noise(
        session=session.line.session,
        backend=backend,
        threads=threads,
        runner=runner,
        floor=max(LEAST_FLOOR, *(expm1(abs(median(logs))) for logs in by_place.values())) if by_place else None,
        pairs=len(between),
        segments=len(asked),
        redone=redone,
        too_busy=redone > BUSY_SHARE * len(asked),
    )
