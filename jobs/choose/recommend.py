"""Which variant to ship, by what the judge says of each, and why not the others. Pure."""

from dataclasses import dataclass

from common.numbers import decimal, listed
from common.run.speed import clearly_faster
from common.schema.choice import Candidate, Standing, Verdict
from common.schema.experiment import Choose
from common.schema.judgement import Basis, Judgement, Setting, Speed, VariantJudgement
from jobs.choose.front import Rank, front, rank
from jobs.choose.wording import figures, label

# What variants are ranked by besides size and speed.
QUALITY: dict[Basis, tuple[str, ...]] = {"accuracy": ("accuracy",), "score": ("score",), "agreement": (), "cost": ()}


@dataclass(frozen=True)
class Case:
    """What there is to choose from: the candidates, the reference's name, the rules and the verdicts."""

    candidates: tuple[Candidate, ...]
    reference: str
    rules: Choose
    judgement: Judgement

    @property
    def setting(self) -> Setting | None:
        """Where latencies decide; None where none may be ranked."""
        return self.judgement.deciding if self.judgement.ranked else None

    @property
    def basis(self) -> Basis:
        """What stands for quality."""
        return self.judgement.basis

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name."""
        return next(candidate for candidate in self.candidates if candidate.name == name)

    @property
    def own(self) -> Candidate:
        """The reference."""
        return self.candidate(self.reference)

    def verdicts(self, candidate: Candidate) -> VariantJudgement:
        """What the judge says of it."""
        return self.judgement.of(candidate.name)

    def speed(self, candidate: Candidate) -> Speed | None:
        """Its speed where latencies decide."""
        return None if self.setting is None else self.judgement.speed(candidate.name, self.setting)

    def clearly_faster(self, one: Candidate, other: Candidate) -> bool | None:
        """Whether one is faster than the other, paired round by round; None where nothing is known."""
        mine, others = self.speed(one), self.speed(other)
        return None if mine is None or others is None else clearly_faster(mine, others)

    def ranks(self) -> tuple[Rank, ...]:
        """The places of all that are results: nothing but their accuracy may speak against them."""
        sound = [c for c in self.candidates if all(reason.fault == "accuracy" for reason in self.verdicts(c).reasons)]
        timed = self.setting is not None
        # Equals go to the reference.
        ordered = sorted(sound, key=lambda candidate: candidate.name != self.reference)
        return tuple(rank(found, timed=timed, same=self.verdicts(found).same_file) for found in ordered)


@dataclass(frozen=True)
class Recommendation:
    """The outcome, by name; all are None where nothing is eligible, `fastest` also where no latency is ranked."""

    standings: tuple[Standing, ...]
    smallest: str | None
    fastest: str | None
    best: str | None


def recommend(case: Case) -> Recommendation:
    """Rank the candidates and choose among those that the judge lets through.

    The best has the least size times latency; equals go by accuracy, then size, then order.
    """
    ranks = case.ranks()
    pool = [rank for rank in ranks if case.judgement.of(rank.name).eligible]
    best = min(pool, key=lambda rank: (rank.cost, rank.wrong, rank.size_bytes), default=None)
    smallest = min(pool, key=lambda rank: (rank.size_bytes, rank.cost, rank.wrong), default=None)
    times = [(rank.time, rank.size_bytes, rank.wrong, rank.name) for rank in pool if rank.time is not None]
    places = _Places(case, ranks, best)
    return Recommendation(
        standings=tuple(places.standing(candidate) for candidate in case.candidates),
        smallest=None if smallest is None else smallest.name,
        fastest=min(times)[-1] if times else None,
        best=None if best is None else best.name,
    )


@dataclass(frozen=True)
class _Places:
    case: Case
    ranks: tuple[Rank, ...]
    best: Rank | None

    def standing(self, candidate: Candidate) -> Standing:
        rank = next((rank for rank in self.ranks if rank.name == candidate.name), None)
        better = None if rank is None else self._dominator(rank)
        verdict, reason = self._verdict(candidate, rank, better)
        return Standing(
            candidate=candidate,
            eligible=self.case.verdicts(candidate).eligible,
            on_front=rank is not None and better is None,
            dominated_by=None if better is None else better.name,
            verdict=verdict,
            reason=reason,
        )

    def _dominator(self, rank: Rank) -> Rank | None:
        """The best where it dominates, else one of the front."""
        if self.best is not None and self.best.dominates(rank):
            return self.best
        return next((other for other in front(self.ranks) if other.dominates(rank)), None)

    def _verdict(self, candidate: Candidate, rank: Rank | None, better: Rank | None) -> tuple[Verdict, str]:
        reasons = self.case.verdicts(candidate).reasons
        if reasons:
            return _against(self.case.verdicts(candidate)), listed(tuple(reason.text for reason in reasons))
        if self.best is None or candidate.name == self.best.name:
            return "best", figures(candidate, self.case.own)
        if better is not None or rank is None:
            return "dominated", "" if better is None else self._dominated(candidate, better)
        times = f"{decimal(rank.cost / self.best.cost)} times that of {label(self.best.name)}"
        product = "size" if rank.time is None else "size times latency"
        return "on the front", f"its {product} is {times}"

    def _dominated(self, candidate: Candidate, better: Rank) -> str:
        respects = listed(("size", *(() if better.time is None else ("speed",)), *QUALITY[self.case.basis]))
        reason = f"{label(better.name)} is no worse in {respects} and better in at least one"
        rival = self.case.candidate(better.name)
        if better.time is None or self.case.clearly_faster(rival, candidate):
            return reason
        return f"{reason}; their speeds cannot be told apart"


def _against(found: VariantJudgement) -> Verdict:
    """The word for what speaks against a variant, the gravest first."""
    faults = {reason.fault for reason in found.reasons}
    if faults & {"answers", "promises"}:
        return "ruled out"
    if "measurement" in faults:
        return "not measured"
    return "shown to lose" if found.accuracy == "shown to lose" else "not shown"
