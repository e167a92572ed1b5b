"""A process between its references: ratios, and what disturbed them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from common.schema.benchmark import RoundRatio, RunLine
from common.schema.outcome import Measured

# Median wall time over median CPU time of a run; above it the scheduler kept the process waiting.
MOST_WAITING = 1.05
# Between the two references of a segment; above it the place was another one after it than before. Heat moves a phone
# by a tenth in a segment, which interpolation takes out: to measure that again buys nothing and costs a fifth.
MOST_DRIFT = log(1.15)


def disturbed(run: RunLine) -> bool:
    """Whether the scheduler kept a process waiting. Told of one thread only: several add up their CPU time."""
    outcome = run.outcome
    if run.cell.threads != 1 or not isinstance(outcome, Measured) or not outcome.cpu_us:
        return False
    return outcome.steady.typical_us > MOST_WAITING * outcome.cpu_us


def known_cpu(runs: Sequence[RunLine]) -> bool:
    """Whether the CPU time of every one is known and tells of one thread."""
    return all(isinstance(run.outcome, Measured) and run.outcome.cpu_us and run.cell.threads == 1 for run in runs)


def log_us(run: RunLine, *, cpu: bool) -> float:
    """Logarithm of a measured process's latency, or of its CPU time, which is known."""
    if not isinstance(run.outcome, Measured):
        raise TypeError("only a measured process has a latency")
    return log(run.outcome.cpu_us if cpu and run.outcome.cpu_us else run.outcome.steady.typical_us)


def drifted(before: RunLine, after: RunLine) -> bool:
    """Whether two references differ so much that what ran between them is to run again; CPU times are compared where
    the scheduler disturbed one of them. Never looks at what ran between them."""
    if not (isinstance(before.outcome, Measured) and isinstance(after.outcome, Measured)):
        return False
    both = (before, after)
    cpu = any(disturbed(run) for run in both) and known_cpu(both)
    return abs(log_us(after, cpu=cpu) - log_us(before, cpu=cpu)) > MOST_DRIFT


@dataclass(frozen=True, slots=True)
class Bracket:
    """A process and the references before and after it (one and the same in sessions of the form before)."""

    own: RunLine
    before: RunLine
    after: RunLine

    @property
    def runs(self) -> tuple[RunLine, RunLine, RunLine]:
        """All three."""
        return self.own, self.before, self.after

    @property
    def measured(self) -> bool:
        """Whether all three are."""
        return all(isinstance(run.outcome, Measured) for run in self.runs)

    @property
    def disturbed(self) -> bool:
        """Whether the scheduler kept any of them waiting."""
        return any(disturbed(run) for run in self.runs)

    def log_ratio(self, *, cpu: bool) -> float:
        """Logarithm of the reference's latency over the process's own, the reference interpolated in time."""
        span = (self.after.started_at - self.before.started_at).total_seconds()
        since = (self.own.started_at - self.before.started_at).total_seconds()
        # A clock that was set in between must not lead outside.
        share = min(1.0, max(0.0, since / span)) if span > 0 else 0.5
        before, after = log_us(self.before, cpu=cpu), log_us(self.after, cpu=cpu)
        return share * after + (1 - share) * before - log_us(self.own, cpu=cpu)


def uses_cpu(brackets: Sequence[Bracket]) -> bool:
    """Whether ratios are of CPU times: some process was disturbed, and all tell theirs."""
    return any(bracket.disturbed for bracket in brackets) and all(known_cpu(bracket.runs) for bracket in brackets)


def ratios(brackets: Sequence[Bracket]) -> tuple[RoundRatio, ...]:
    """The ratio of every bracket that was measured, in order."""
    cpu = uses_cpu(brackets)
    return tuple(
        RoundRatio(round=bracket.own.round, value=exp(bracket.log_ratio(cpu=cpu)))
        for bracket in brackets
        if bracket.measured
    )
