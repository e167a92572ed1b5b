"""How many rounds a session gets. Pure.

More while too many intervals are wide, never because a ratio came out as it did: stopping by width alone leaves the
intervals what they say.
"""

from dataclasses import dataclass
from typing import Literal

from common.intervals import interval
from common.schema.benchmark import SessionFacts, Stopped
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark.noise import noise
from jobs.benchmark.order import Slot
from jobs.benchmark.pairs import ratios
from jobs.benchmark.session import Session

# A ratio's half-width that is narrow enough, as a share; devices are noisier.
WIDTH = {"host": 0.03, "android": 0.05}
# Share of the ratios that may be wider.
WIDE_SHARE = 0.1


@dataclass(frozen=True)
class Limits:
    """When a session may end: not before `fewest` rounds, and not later than `most` or after `budget_s`."""

    fewest: int
    most: int
    width: float
    budget_s: float | None = None


def limits(settings: Settings, kind: Literal["host", "android"], *, ranked: bool) -> Limits:
    """Those of an experiment; latencies that are never `ranked` need no more than the fewest rounds."""
    most = max(settings.rounds, settings.most_rounds) if ranked else settings.rounds
    return Limits(settings.rounds, most, WIDTH[kind], settings.budget_s)


def next_step(session: Session, allowed: Limits) -> Slot | None:
    """The process that a session needs next; None when it is over, or cannot be gone on with."""
    if not session.sound or not session.bracketed:
        return None
    here = session.within_round()
    if here is not None:
        return here
    return session.opening() if stopped(session, allowed) is None else None


def stopped(session: Session, allowed: Limits) -> Stopped | None:
    """Why a session that stands between two rounds gets no more; None when it does."""
    done = session.rounds
    if done < allowed.fewest:
        return None
    if done >= allowed.most:
        return "most rounds"
    if allowed.budget_s is not None and session.took_s * (1 + 1 / done) > allowed.budget_s:
        return "budget"
    total, wide = widths(session, allowed.width)
    if wide <= WIDE_SHARE * total:
        return "narrow"
    found = noise(session)
    return "too busy" if found and all(one.too_busy for one in found) else None


def widths(session: Session, width: float) -> tuple[int, int]:
    """How many ratios a session has, and how many of them are wider; those that cannot be had are not counted."""
    found = [interval([ratio.value for ratio in ratios(brackets)]) for brackets in session.brackets.values()]
    known = [one for one in found if one is not None]
    return len(known), sum((one.high / one.low) ** 0.5 - 1 > width for one in known)


def facts(session: Session, allowed: Limits) -> SessionFacts:
    """What the result says of a session."""
    total, wide = widths(session, allowed.width)
    return SessionFacts(
        session=session.line.session,
        rounds=session.rounds if session.bracketed else session.line.rounds,
        processes=len(session.runs),
        took_s=session.took_s,
        ratios=total,
        wide=wide,
        width=allowed.width,
        again=sum(run.retry > 0 for run in session.runs),
        stopped=stopped(session, allowed) if session.bracketed and session.within_round() is None else None,
    )
