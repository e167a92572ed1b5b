"""How much longer a run takes, from what its steps took before and what others of their stage took now. Pure.

Where one step is a guess, so is the sum: then the rest of the current stage is told, or nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from jobs.steps.todo import Step

# A share of the work from which the rest of it can be told.
LEAST_SHARE = 0.1
# Of these, a step takes about as long as any other; what makes a variant may take seconds or hours.
ALIKE = ("adopt", "evaluate")


@dataclass(frozen=True)
class Left:
    """Seconds until the end; `stage` is empty where it is the run's, else that of the stage."""

    seconds: float
    stage: str = ""


@dataclass(frozen=True)
class Now:
    """The step that runs: for how many seconds, and which share of its work is done (None: it does not say)."""

    step: Step
    for_s: float
    share: float | None = None


def left(steps: Sequence[Step], done: Mapping[str, float], now: Now) -> Left | None:
    """What is left of a run of `steps`; `done` are seconds by artifact, of those that are finished."""
    rest = [step for step in steps if step.artifact not in done and step.artifact != now.step.artifact]
    of_now = _of_now(steps, done, now)
    others = [_expected(step, steps, done) for step in rest]
    whole = _sum([of_now, *others])
    if whole is not None:
        return Left(whole)
    same = [took for step, took in zip(rest, others, strict=True) if step.stage == now.step.stage]
    stage = _sum([of_now, *same])
    return None if stage is None else Left(stage, now.step.stage)


def _sum(seconds: Sequence[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None


def _of_now(steps: Sequence[Step], done: Mapping[str, float], now: Now) -> float | None:
    if now.share is not None and now.share >= LEAST_SHARE:
        return now.for_s * (1 - now.share) / now.share
    expected = _expected(now.step, steps, done)
    # One that takes longer than before takes nobody knows how long.
    return None if expected is None or expected < now.for_s else expected - now.for_s


def _expected(step: Step, steps: Sequence[Step], done: Mapping[str, float]) -> float | None:
    if step.before_s is not None:
        return step.before_s
    if step.stage not in ALIKE:
        return None
    alike = [done[other.artifact] for other in steps if other.stage == step.stage and other.artifact in done]
    return fmean(alike) if alike else None
