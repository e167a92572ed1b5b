"""Which variant to ship, and why not each of the others. Pure."""

from dataclasses import dataclass

from common.numbers import decimal, p_value, proportion
from common.schema.base import Interval
from common.schema.choice import Candidate, Setting, Standing, Verdict
from common.schema.experiment import Choose
from jobs.choose.front import Rank, front, ranked
from jobs.choose.wording import figures, label, place, points

# Shares of images are compared to so many decimals: 0.98 - 0.96 is not above 0.02.
DECIMALS = 9
SAME = Interval(value=1.0, low=1.0, high=1.0)


@dataclass(frozen=True)
class Case:
    """What there is to choose from: the candidates, the reference's name, the rules, and where the
    latencies were measured (None where none may be ranked)."""

    candidates: tuple[Candidate, ...]
    reference: str
    rules: Choose
    setting: Setting | None

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name."""
        return next(candidate for candidate in self.candidates if candidate.name == name)

    @property
    def own(self) -> Candidate:
        """The reference."""
        return self.candidate(self.reference)

    def is_worse(self, candidate: Candidate) -> bool:
        """Significantly less accurate than the reference."""
        test = candidate.mcnemar
        if test is None or test.p_value >= self.rules.alpha:
            return False
        return test.only_reference_right > test.only_variant_right

    def lost(self, candidate: Candidate) -> float:
        """The share of images by which it is less accurate than the reference."""
        return round(self.own.accuracy.value - candidate.accuracy.value, DECIMALS)

    def speed(self, candidate: Candidate) -> Interval | None:
        """How many times as fast as the reference, which is just as fast as itself; None where unknown."""
        return SAME if candidate.name == self.reference else candidate.ratio

    def clearly_faster(self, one: Candidate, other: Candidate) -> bool | None:
        """Whether one's whole interval lies above the other's; None where one is unknown."""
        mine, others = self.speed(one), self.speed(other)
        return None if mine is None or others is None else mine.low > others.high

    def keeps_accuracy(self, candidate: Candidate) -> bool:
        """Neither significantly worse nor beyond the margin."""
        return not self.is_worse(candidate) and self.lost(candidate) <= self.rules.margin


@dataclass(frozen=True)
class Recommendation:
    """The outcome, by name; `fastest` is None where no latency is ranked."""

    standings: tuple[Standing, ...]
    smallest: str
    fastest: str | None
    best: str


def recommend(case: Case) -> Recommendation:
    """Rank the candidates and choose among those that are ranked and keep the accuracy.

    The best has the least size times latency; equals go by accuracy, then size, then order. Where the
    reference could not be ranked and nothing else keeps its accuracy, it is what remains.
    """
    ranks = ranked(case.candidates, case.reference)
    eligible = [rank for rank in ranks if case.keeps_accuracy(case.candidate(rank.name))]
    pool = eligible or list(ranked([case.own], case.reference))
    best = min(pool, key=lambda rank: (rank.cost, rank.wrong, rank.size_bytes))
    smallest = min(pool, key=lambda rank: (rank.size_bytes, rank.cost, rank.wrong))
    times = [(rank.time, rank.size_bytes, rank.wrong, rank.name) for rank in pool if rank.time is not None]
    judge = _Judge(case, ranks, frozenset(rank.name for rank in eligible), best)
    return Recommendation(
        standings=tuple(judge.standing(candidate) for candidate in case.candidates),
        smallest=smallest.name,
        fastest=min(times)[-1] if times else None,
        best=best.name,
    )


@dataclass(frozen=True)
class _Judge:
    case: Case
    ranks: tuple[Rank, ...]
    eligible: frozenset[str]
    best: Rank

    def standing(self, candidate: Candidate) -> Standing:
        rank = next((rank for rank in self.ranks if rank.name == candidate.name), None)
        better = None if rank is None else self._dominator(rank)
        verdict, reason = self._verdict(candidate, rank, better)
        return Standing(
            candidate=candidate,
            eligible=candidate.name in self.eligible,
            on_front=rank is not None and better is None,
            dominated_by=None if better is None else better.name,
            verdict=verdict,
            reason=reason,
        )

    def _dominator(self, rank: Rank) -> Rank | None:
        """The best where it dominates, else one of the front."""
        if self.best in self.ranks and self.best.dominates(rank):
            return self.best
        return next((other for other in front(self.ranks) if other.dominates(rank)), None)

    def _verdict(self, candidate: Candidate, rank: Rank | None, better: Rank | None) -> tuple[Verdict, str]:
        case, reference = self.case, label(self.case.reference)
        if candidate.name == self.best.name:
            return "best", figures(candidate, case.own)
        if rank is None:
            where = "" if case.setting is None else f" on {place(case.setting)}"
            return "not measured", f"no latency{where}, so it is not ranked"
        if case.is_worse(candidate) and candidate.mcnemar is not None:
            p = p_value(candidate.mcnemar.p_value)
            accuracies = f"{proportion(candidate.accuracy)} against {proportion(case.own.accuracy)}"
            return "significantly worse", f"significantly less accurate than {reference}: {accuracies}, {p}"
        if not case.keeps_accuracy(candidate):
            lost, margin = points(case.lost(candidate)), points(case.rules.margin)
            return "beyond the margin", f"{lost} less accurate than {reference}, more than the margin of {margin}"
        if better is not None:
            return "dominated", self._dominated(candidate, better)
        times = f"{decimal(rank.cost / self.best.cost)} times that of {label(self.best.name)}"
        product = "size" if rank.time is None else "size times latency"
        return "on the front", f"its {product} is {times}"

    def _dominated(self, candidate: Candidate, better: Rank) -> str:
        respects = "size and accuracy" if better.time is None else "size, speed and accuracy"
        reason = f"{label(better.name)} is no worse in {respects} and better in at least one"
        rival = self.case.candidate(better.name)
        mine, its = self.case.speed(candidate), self.case.speed(rival)
        if mine is None or its is None or self.case.clearly_faster(rival, candidate):
            return reason
        return f"{reason}; their speeds, {mine.value:.3f} and {its.value:.3f} times the reference's, hardly differ"
