"""A place that is too hot gets a pause before the next segment; what heat is left, the references tell.

A sustained load has no references beside it, and the one before it has heated the place: all begin as cool as can be.
"""

from collections.abc import Callable

from common.schema.outcome import Measured
from jobs.benchmark.clock import Clock
from jobs.benchmark.session import Session
from jobs.benchmark.targets import Target

# Android's thermal status (android.os.PowerManager): it slows down a little, and for good.
LIGHT, SEVERE = 1, 3
# A reference's latency over the lowest of its session.
MOST_SLOWER = 1.10
LONGEST_S, STEP_S = 60, 10
# A phone that has worked for ten minutes is cool again after some; each load gets the same chance.
LONGEST_SETTLING_S = 300
# Of the battery, above where the coolest load of the session began.
MOST_WARMER_C = 1.0


def cool(target: Target, session: Session, clock: Clock, say: Callable[[str], None], status: int | None) -> None:
    """Wait until the place is no longer hot, at most a minute; `status` is its thermal status now. Places that do not
    tell it, as this machine, are never waited for."""
    slower = slowdown(session)
    if not is_hot(status, slower):
        return
    waited = 0
    while waited < LONGEST_S and is_hot(status, slower):
        clock.wait(STEP_S)
        waited += STEP_S
        status = target.thermal_status()
    say(f"note: hot (thermal status {status}, references {slower:.2f} times their lowest): waited {waited} s")


def settle(target: Target, coolest: float | None, clock: Clock, say: Callable[[str], None]) -> float:
    """Wait until the place does not throttle at all and its battery is as cool as `coolest` (degrees Celsius; None:
    any), at most five minutes; returns the seconds. Places that tell neither, as this machine, are not waited for."""
    waited, (status, celsius) = 0, _warmth(target)
    while waited < LONGEST_SETTLING_S and is_warm(status, celsius, coolest):
        clock.wait(STEP_S)
        waited += STEP_S
        status, celsius = _warmth(target)
    if waited:
        battery = "" if celsius is None else f", battery at {celsius:.1f} °C"
        left = "still warm" if is_warm(status, celsius, coolest) else "cool"
        say(f"note: {left} (thermal status {status}{battery}): waited {waited} s before the sustained load")
    return float(waited)


def is_warm(status: int | None, celsius: float | None, coolest: float | None) -> bool:
    """Any throttling, or a battery that is warmer than where another load began."""
    throttles = status is not None and status >= LIGHT
    return throttles or (celsius is not None and coolest is not None and celsius > coolest + MOST_WARMER_C)


def _warmth(target: Target) -> tuple[int | None, float | None]:
    reading = target.power(0.0)
    return target.thermal_status(), None if reading is None else reading.celsius


def is_hot(status: int | None, slower: float) -> bool:
    """Severe throttling, or some throttling that the references show."""
    return status is not None and (status >= SEVERE or (status >= LIGHT and slower > MOST_SLOWER))


def slowdown(session: Session) -> float:
    """The latest reference over the lowest of its session, of the group that is slowed down most; 1 if none ran."""
    found = [1.0]
    for cell in session.layout.references.values():
        told = [run.outcome.steady.typical_us for run in session.kept[cell] if isinstance(run.outcome, Measured)]
        if told:
            found.append(told[-1] / min(told))
    return max(found)
