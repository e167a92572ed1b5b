"""How sure the recommendation is, and what the next best would buy. Pure: it weighs what the judge said."""

from common.numbers import count, listed, megabytes, percent
from common.run.speed import ratio_between
from common.schema.base import Interval
from common.schema.choice import Candidate, Confidence, RunnerUp
from jobs.choose.recommend import Case, Recommendation
from jobs.choose.wording import label

# A file that differs from itself by so much leaves no small gain to be told.
NOISY_FLOOR = 0.1
KEPT = {
    "accuracy": "it is shown to keep the accuracy",
    "score": "it is shown to keep the score",
    "agreement": "its answers lie within the tolerance",
}


def confidence(case: Case, chosen: Recommendation) -> Confidence | None:
    """None where nothing is recommended."""
    if chosen.best is None:
        return None
    best = case.candidate(chosen.best)
    if (noise := _noise(case, best)) is not None:
        return Confidence(word="noisy", reason=noise)
    if (doubt := _doubt(case, chosen, best)) is not None:
        return Confidence(word="tentative", reason=doubt)
    if best.name == case.reference:
        return Confidence(word="clear", reason="of every other variant something is shown that rules it out")
    return Confidence(
        word="clear", reason=f"{KEPT[case.basis]}, and its size times latency is the least, beyond chance"
    )


def _noise(case: Case, best: Candidate) -> str | None:
    deciding = case.judgement.deciding
    here = [speed for speed in case.judgement.speeds if speed.setting == deciding]
    busy = next((s.obstacle.text for s in here if s.obstacle is not None and s.obstacle.cause == "too busy"), None)
    if busy is not None:
        return busy
    floor = max((speed.floor for speed in here if speed.floor is not None and not speed.floor_assumed), default=0.0)
    if floor >= NOISY_FLOOR:
        return f"a file differs from itself by up to {percent(floor)} here"
    own = case.speed(best)
    if own is not None and own.from_cpu:
        return "other programs kept it waiting, so that CPU times stand for its latencies"
    return None


def _doubt(case: Case, chosen: Recommendation, best: Candidate) -> str | None:
    """What was not shown, the gravest first."""
    if case.basis == "cost":
        return "neither labels, a score nor a tolerance judge the answers"
    if case.setting is None:
        return "no latency could be ranked"
    if best.name == case.reference:
        open_ = tuple(label(v.variant) for v in case.judgement.variants if v.accuracy == "not shown")
        return f"of {listed(open_)} nothing is shown either way" if open_ else None
    alike = tuple(label(other.name) for other in _pool(case, chosen) if not _least(case, best, other))
    return f"its size times latency is not told from that of {listed(alike)}" if alike else None


def _pool(case: Case, chosen: Recommendation) -> list[Candidate]:
    """Everything else that may be shipped, but for copies of the reference beside itself."""
    found = [s.candidate for s in chosen.standings if s.eligible and s.candidate.name != chosen.best]
    return [candidate for candidate in found if not case.verdicts(candidate).same_file or chosen.best != case.reference]


def _least(case: Case, best: Candidate, other: Candidate) -> bool:
    """Whether the best one's size times latency is the less over the whole interval of their paired ratio, and beyond
    what a file differs from itself."""
    ratio = _between(case, best, other)
    return ratio is not None and ratio.low * other.size_bytes > best.size_bytes * (1 + _floor(case, best, other))


def _floor(case: Case, *candidates: Candidate) -> float:
    speeds = [case.speed(candidate) for candidate in candidates]
    return max((speed.floor for speed in speeds if speed is not None and speed.floor is not None), default=0.0)


def _between(case: Case, one: Candidate, other: Candidate) -> Interval | None:
    mine, theirs = case.speed(one), case.speed(other)
    if mine is None or theirs is None:
        return None
    if mine.verdict == "reference":
        return None if theirs.ratio is None else _inverse(theirs.ratio)
    return ratio_between(mine, theirs)


def _inverse(ratio: Interval) -> Interval:
    return ratio.model_copy(update={"value": 1 / ratio.value, "low": 1 / ratio.high, "high": 1 / ratio.low})


def runner_up(case: Case, chosen: Recommendation) -> RunnerUp | None:
    """The next least size times latency of those that may be shipped; None where there is no other."""
    if chosen.best is None:
        return None
    costs = {rank.name: (rank.cost, rank.wrong, rank.size_bytes) for rank in case.ranks()}
    others = [candidate for candidate in _pool(case, chosen) if candidate.name in costs]
    if not others:
        return None
    second = min(others, key=lambda candidate: costs[candidate.name])
    return RunnerUp(name=second.name, buys=_buys(case, second, case.candidate(chosen.best)))


def _buys(case: Case, second: Candidate, best: Candidate) -> str:
    """What would change, in size, speed and right answers."""
    told = [_size(second.size_bytes - best.size_bytes), _speed(case, second, best)]
    if second.accuracy is not None and best.accuracy is not None:
        told.append(_images(second.accuracy.successes - best.accuracy.successes))
    elif second.score is not None and best.score is not None:
        told.append(f"a score of {second.score:.4g} instead of {best.score:.4g}")
    return ", ".join(filter(None, told))


def _size(more: int) -> str:
    return "the same size" if more == 0 else f"{megabytes(abs(more))} MB {'more' if more > 0 else 'less'}"


def _speed(case: Case, second: Candidate, best: Candidate) -> str:
    if (ratio := _between(case, second, best)) is None:
        return ""
    floor = _floor(case, second, best)
    if ratio.low > 1 + floor:
        return f"{ratio.value:.2g} times as fast"
    if ratio.high < 1 / (1 + floor):
        return f"{1 / ratio.value:.2g} times as slow"
    return "a speed that is not told from its own"


def _images(more: int) -> str:
    if more == 0:
        return "as many right answers"
    return count(more, "more right answer") if more > 0 else count(-more, "right answer fewer", "right answers fewer")
