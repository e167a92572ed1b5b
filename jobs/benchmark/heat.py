"""A place that is too hot gets a pause before the next segment; what heat is left, the references tell."""

from collections.abc import Callable

from common.schema.outcome import Measured
from jobs.benchmark.clock import Clock
from jobs.benchmark.pairs import typical_us
from jobs.benchmark.session import Session
from jobs.benchmark.targets import Target

# Android's thermal status (android.os.PowerManager): it slows down a little, and for good.
LIGHT, SEVERE = 1, 3
# A reference's latency over the lowest of its session.
MOST_SLOWER = 1.10
LONGEST_S, STEP_S = 60, 10


def cool(target: Target, session: Session, clock: Clock, say: Callable[[str], None]) -> None:
    """Wait until the place is no longer hot, at most a minute. Places that do not tell their thermal status, as
    this machine, are never waited for."""
    status = target.thermal_status()
    slower = slowdown(session)
    if not is_hot(status, slower):
        return
    waited = 0
    while waited < LONGEST_S and is_hot(status, slower):
        clock.wait(STEP_S)
        waited += STEP_S
        status = target.thermal_status()
    say(f"hot (thermal status {status}, references {slower:.2f} times their lowest): waited {waited} s")


def is_hot(status: int | None, slower: float) -> bool:
    """Severe throttling, or some throttling that the references show."""
    return status is not None and (status >= SEVERE or (status >= LIGHT and slower > MOST_SLOWER))


def slowdown(session: Session) -> float:
    """The latest reference over the lowest of its session, of the group that is slowed down most; 1 if none ran."""
    found = [1.0]
    for cell in session.layout.references.values():
        told = [typical_us(run.outcome) for run in session.kept[cell] if isinstance(run.outcome, Measured)]
        if told:
            found.append(told[-1] / min(told))
    return max(found)
