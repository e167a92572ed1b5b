"""The size-latency-accuracy front. Pure.

A variant lies on the front when no other one is at least as good in every respect and better in one
(Pareto). It is drawn through point estimates: a difference within the intervals may be chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.schema.choice import Candidate


@dataclass(frozen=True)
class Rank:
    """A candidate's place in each respect; smaller is better.

    `time` is its latency as a share of the reference's, None where latencies are not ranked.
    """

    name: str
    size_bytes: int
    time: float | None
    wrong: int

    @property
    def cost(self) -> float:
        """Size times time: scale-free, so that half the size counts as much as half the time."""
        return self.size_bytes * (1.0 if self.time is None else self.time)

    def dominates(self, other: "Rank") -> bool:
        """Whether this one is no worse in every respect and better in one."""
        mine, others = self._respects(), other._respects()
        return all(a <= b for a, b in zip(mine, others, strict=True)) and mine != others

    def _respects(self) -> tuple[float, ...]:
        times = () if self.time is None else (self.time,)
        return (self.size_bytes, *times, self.wrong)


def ranked(candidates: Sequence[Candidate], reference: str) -> tuple[Rank, ...]:
    """The candidates that can be ranked, in their order: those with a latency, or all where none has one.

    Times are paired ratios where every variant has one, since those of two sessions can be compared; otherwise
    latencies over the reference's, or bare ones (µs) where the reference has none.
    """
    timed = [candidate for candidate in candidates if candidate.latency_us is not None]
    own = next((c.latency_us for c in timed if c.name == reference), None)
    paired = all(c.ratio is not None for c in timed if c.name != reference)
    times = {c.name: _time(c, None if paired else own or 1.0) for c in timed}
    return tuple(
        Rank(c.name, c.size_bytes, times.get(c.name), c.accuracy.total - c.accuracy.successes)
        for c in timed or candidates
    )


def _time(candidate: Candidate, unit_us: float | None) -> float | None:
    """The latency in a unit; by the ratio without one, where the reference's is 1."""
    if unit_us is None:
        return 1.0 if candidate.ratio is None else 1 / candidate.ratio.value
    return None if candidate.latency_us is None else candidate.latency_us / unit_us


def front(ranks: Sequence[Rank]) -> tuple[Rank, ...]:
    """Those that none dominates, in their order; equals are all on it."""
    return tuple(rank for rank in ranks if not any(other.dominates(rank) for other in ranks))
