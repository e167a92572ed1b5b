"""The recommendation in sentences, each with the figures it rests on. Pure."""

from collections.abc import Iterator

from common.numbers import listed
from jobs.choose.recommend import Case, Recommendation
from jobs.choose.wording import figures, label, place, points


def recommendation(case: Case, chosen: Recommendation) -> tuple[str, ...]:
    """What to ship, the smallest and the fastest where they are others, and what that rests on."""
    return tuple(_sentences(case, chosen))


def _sentences(case: Case, chosen: Recommendation) -> Iterator[str]:
    where = "" if case.setting is None else f" (latency on {place(case.setting)})"
    best = case.candidate(chosen.best)
    yield f"Recommended: {label(best.name)}, {_why(chosen)}: {figures(best, case.own)}{where}."
    for what, name in (("Smallest", chosen.smallest), ("Fastest", chosen.fastest)):
        if name is not None and name != chosen.best:
            yield f"{what} that keeps the accuracy: {label(name)}: {figures(case.candidate(name), case.own)}."
    yield from _hardly_slower(case, chosen)
    yield (
        f"To keep the accuracy means: not significantly less accurate than {label(case.reference)} (McNemar's exact "
        f"test, alpha {case.rules.alpha:g}) and at most {points(case.rules.margin)} below it. It is no proof that both "
        "are equally accurate."
    )
    if case.setting is None:
        yield "No latency could be ranked, so size and accuracy alone decide."


def _why(chosen: Recommendation) -> str:
    if not any(standing.eligible for standing in chosen.standings):
        return "because no variant that was measured keeps its accuracy"
    if chosen.fastest is None:
        return "the smallest that keeps the accuracy"
    if chosen.best == chosen.smallest == chosen.fastest:
        return "the smallest and the fastest that keeps the accuracy"
    return "the least size times latency of those that keep the accuracy"


def _hardly_slower(case: Case, chosen: Recommendation) -> Iterator[str]:
    """Those that may be as fast as the fastest: a reader of the latencies alone might rank them otherwise."""
    if chosen.fastest is None:
        return
    fastest = case.candidate(chosen.fastest)
    others = [s.candidate for s in chosen.standings if s.eligible and s.candidate.name != fastest.name]
    alike = tuple(label(other.name) for other in others if case.clearly_faster(fastest, other) is False)
    if alike:
        name = label(fastest.name)
        yield f"Not clearly slower than {name}, since the intervals of their speeds overlap: {listed(alike)}."
