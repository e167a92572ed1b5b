"""The recommendation in sentences, each with the figures it rests on. Pure."""

from collections.abc import Iterator

from common.numbers import listed
from common.run.keeping import whole
from jobs.choose.recommend import Case, Recommendation
from jobs.choose.wording import figures, label, place, points


def recommendation(case: Case, chosen: Recommendation) -> tuple[str, ...]:
    """What to ship, the smallest and the fastest where they are others, and what that rests on."""
    return tuple(_sentences(case, chosen))


# What a variant keeps, by what stands for its quality.
KEPT = {
    "accuracy": "the accuracy",
    "score": "the score",
    "agreement": "the answers within the tolerance",
    "cost": "nothing that was judged",
}
BASIS = {
    "accuracy": "",
    "score": " by the user's score",
    "agreement": " by the distance of the answers from the reference's",
    "cost": " by size and latency alone, since neither labels, a score nor a tolerance judge the answers",
}


def _sentences(case: Case, chosen: Recommendation) -> Iterator[str]:
    yield _first(case, chosen)
    keeps = "" if case.basis == "cost" else f" that keeps {KEPT[case.basis]}"
    for what, name in (("Smallest", chosen.smallest), ("Fastest", chosen.fastest)):
        if name is not None and name != chosen.best:
            yield f"{what}{keeps}: {label(name)}: {figures(case.candidate(name), case.own)}."
    yield from _not_told_apart(case, chosen)
    if case.basis == "accuracy":
        yield from _not_shown(case)
    yield from _rule(case)
    if case.setting is None:
        respects = "size" if case.basis == "cost" else f"size and {KEPT[case.basis]}"
        yield f"No latency could be ranked, so {respects} alone decide{'s' if case.basis == 'cost' else ''}."


def _rule(case: Case) -> Iterator[str]:
    rules = case.rules
    if case.basis == "accuracy":
        yield (
            f"A variant is shown to keep the accuracy where it loses less than {points(rules.margin)} to "
            f"{label(case.reference)} on the same images (Tango's test of paired shares, one-sided, alpha "
            f"{rules.alpha:g}, corrected for the number of variants by Hochberg)."
        )
    elif case.basis == "score":
        yield (
            f"A variant is shown to keep the score where it loses less than {rules.margin:g} to "
            f"{label(case.reference)} on the same samples (paired bootstrap, one-sided, alpha {rules.alpha:g}, "
            "corrected for the number of variants by Hochberg)."
        )


def _first(case: Case, chosen: Recommendation) -> str:
    if chosen.best is None:
        why = listed(tuple(reason.text for reason in case.verdicts(case.own).reasons))
        return f"Nothing can be recommended: no variant is fit to ship, nor is {label(case.reference)} ({why})."
    where = "" if case.setting is None else f" (latency on {place(case.setting)})"
    best = case.candidate(chosen.best)
    told = f"{label(best.name)}, {_why(case, chosen)}: {figures(best, case.own)}{where}."
    return f"Recommended{BASIS[case.basis]}: {told}{_needed(case) if case.basis == 'accuracy' else ''}"


def _why(case: Case, chosen: Recommendation) -> str:
    passed = [name for name in _eligible(chosen) if name != case.reference]
    if not passed and len(case.candidates) > 1:
        kept = KEPT[case.basis].replace("the ", "its ", 1)
        return (
            "because nothing else is fit to ship"
            if case.basis == "cost"
            else f"because nothing else is shown to keep {kept} and fit to ship"
        )
    keeps = "" if case.basis == "cost" else f" that keeps {KEPT[case.basis]}"
    if chosen.fastest is None:
        return f"the smallest{keeps}"
    if chosen.best == chosen.smallest == chosen.fastest:
        return f"the smallest and the fastest{keeps}" if _shown_fastest(case, chosen) else f"the smallest{keeps}"
    return f"the least size times latency{'' if case.basis == 'cost' else f' of those that keep {KEPT[case.basis]}'}"


def _shown_fastest(case: Case, chosen: Recommendation) -> bool:
    """Whether the fastest is faster than every other one that may be shipped, beyond chance: the least latency alone
    may be luck."""
    fastest = None if chosen.fastest is None else case.candidate(chosen.fastest)
    others = [case.candidate(name) for name in _eligible(chosen) if name != chosen.fastest]
    return fastest is not None and all(case.clearly_faster(fastest, other) is True for other in others)


def _eligible(chosen: Recommendation) -> tuple[str, ...]:
    return tuple(standing.candidate.name for standing in chosen.standings if standing.eligible)


def _needed(case: Case) -> str:
    """How many images would be needed, where no variant is shown to keep the accuracy."""
    others = [found for found in case.judgement.variants if found.variant != case.reference]
    if not others or any(found.accuracy == "shown to keep" for found in others):
        return ""
    known = [found.overall.images_needed for found in others if found.overall.images_needed is not None]
    images = max(found.overall.images for found in others)
    if not known or min(known) <= images:
        return f" On these {images} images nothing is shown to keep it."
    return f" On these {images} images nothing is shown to keep it; about {whole(min(known))} would be needed."


def _not_shown(case: Case) -> Iterator[str]:
    """Variants of which more images may show something."""
    found = [v for v in case.judgement.variants if v.accuracy == "not shown" and v.overall.images_needed]
    parts = tuple(
        f"{label(v.variant)} (about {whole(v.overall.images_needed)} images)"
        for v in found
        if v.overall.images_needed is not None and v.overall.images_needed > v.overall.images
    )
    if parts:
        yield f"Not shown either way, and what would show it of a variant that loses nothing: {listed(parts)}."


def _not_told_apart(case: Case, chosen: Recommendation) -> Iterator[str]:
    """Those that may be as fast as the fastest: a reader of the latencies alone might rank them otherwise."""
    if chosen.fastest is None:
        return
    fastest = case.candidate(chosen.fastest)
    others = [case.candidate(name) for name in _eligible(chosen) if name != fastest.name]
    alike = tuple(label(other.name) for other in others if case.clearly_faster(fastest, other) is not True)
    if alike:
        yield f"Speed, compared round by round, does not tell these from {label(fastest.name)}: {listed(alike)}."
