"""The size-latency-accuracy front. Pure.

A variant lies on the front when no other one is at least as good in every respect and better in one
(Pareto). It is drawn through point estimates: a difference within the intervals may be chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.pareto import dominates
from common.schema.choice import Candidate


@dataclass(frozen=True)
class Rank:
    """A candidate's place in each respect; smaller is better.

    `time` is its latency as a share of the reference's, None where latencies are not ranked.
    """

    name: str
    size_bytes: int
    time: float | None
    wrong: float

    @property
    def cost(self) -> float:
        """Size times time: scale-free, so that half the size counts as much as half the time."""
        return self.size_bytes * (1.0 if self.time is None else self.time)

    def dominates(self, other: "Rank") -> bool:
        """Whether this one is no worse in every respect and better in one."""
        return dominates(self._respects(), other._respects())

    def _respects(self) -> tuple[float, ...]:
        times = () if self.time is None else (self.time,)
        return (self.size_bytes, *times, self.wrong)


def rank(candidate: Candidate, *, timed: bool, same: bool = False) -> Rank:
    """Its place; the time is the inverse of its paired ratio, the reference's is 1, as that of the `same` file is."""
    time = None if not timed else 1.0 if same or candidate.ratio is None else 1 / candidate.ratio.value
    return Rank(candidate.name, candidate.size_bytes, time, _wrong(candidate))


def _wrong(candidate: Candidate) -> float:
    """What is the better the less: wrong answers, or a lower score; the same for all where nothing judges quality."""
    if candidate.accuracy is not None:
        return candidate.accuracy.total - candidate.accuracy.successes
    return 0.0 if candidate.score is None else -candidate.score


def front(ranks: Sequence[Rank]) -> tuple[Rank, ...]:
    """Those that none dominates, in their order; equals are all on it."""
    return tuple(rank for rank in ranks if not any(other.dominates(rank) for other in ranks))
