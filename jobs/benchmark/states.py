"""The state of a place while it is measured: read before every segment, kept, and what of it is worth a caution."""

from collections.abc import Iterator, Sequence

from common.schema.caution import BatterySaver, Caution, Heated, LowBattery, ScreenOff, SlowedCores
from common.schema.power import Clock as CoreClock
from common.schema.power import DeviceState, StateLine
from jobs.benchmark.clock import Clock
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.order import Slot
from jobs.benchmark.session import Session
from jobs.benchmark.targets import Target

# Android's thermal status: from here on it slows down for good; at the next one the protocol pauses (`heat`).
MODERATE = 2
# Per cent: below it, phones slow down and switch the battery saver on.
LEAST_LEVEL = 20
# Of a core's highest clock; a governor's rounding is not worth a word.
HELD_BELOW = 0.99
AWAKE = "Awake"
# A fact of a device that was asked for it, and how it begins where it was not taken.
FIXED, REFUSED = "Fixed-performance mode", "refused"


def look(target: Target, ledger: Ledger, session: Session, slot: Slot | None, clock: Clock) -> DeviceState | None:
    """Read the state before the segment of `slot`, or after a session that is over (None), and keep it; None for a
    place that has none, as this machine."""
    state = target.state()
    if state is None:
        return None
    last = session.runs[-1] if session.runs else None
    at = slot or last
    if at is not None:
        line = StateLine(
            session=session.line.session,
            round=at.round,
            segment=at.segment,
            attempt=at.attempt,
            ended=slot is None,
            at=clock.now(),
            state=state,
        )
        ledger.append(line)
    return state


def cautions_of(lines: Sequence[StateLine]) -> Iterator[Caution]:
    """What a reader should know of the states of the sessions that are shown."""
    states, looks = [line.state for line in lines], len(lines)
    hot = [state.thermal_status for state in states if (state.thermal_status or 0) >= MODERATE]
    if hot:
        yield Heated(status=max(status or 0 for status in hot), segments=len(hot), looks=looks)
    if on := sum(state.saver is True for state in states):
        yield BatterySaver(segments=on, looks=looks)
    levels = [state.level for state in states if state.level is not None]
    if levels and min(levels) < LEAST_LEVEL:
        yield LowBattery(level=min(levels), least=LEAST_LEVEL)
    yield from _clocks(states)
    if off := sum(state.screen not in (None, AWAKE) for state in states):
        yield ScreenOff(segments=off, looks=looks)


def _clocks(states: Sequence[DeviceState]) -> Iterator[Caution]:
    held = [
        [(share, clock.core) for clock in state.clocks if (share := _share(clock)) < HELD_BELOW] for state in states
    ]
    found = [one for one in held if one]
    if found:
        cores = sorted({core for one in found for _, core in one})
        share = min(share for one in found for share, _ in one)
        yield SlowedCores(share=share, cores=tuple(cores), segments=len(found), looks=len(states))


def _share(clock: CoreClock) -> float:
    """How far a core may rise, of how far it can; 1 where it does not tell."""
    if clock.limit_khz is None or not clock.most_khz:
        return 1.0
    return clock.limit_khz / clock.most_khz
