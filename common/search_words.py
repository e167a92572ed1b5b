"""A search in words, for a terminal and its page. Pure: nothing is decided or escaped here."""

from collections import Counter

from common.comparison_words import place
from common.numbers import count, decimal, duration, factor, percent, speedup
from common.schema.base import Interval
from common.schema.given import FromFile
from common.schema.judgement import Basis
from common.schema.search_result import Candidate, Confirmed, Outcome, SearchResult

US_PER_S = 1e6


def heading(result: SearchResult) -> str:
    """Where it looked, and how long."""
    took = duration(US_PER_S * result.took_s)
    return (
        f"{count(len(result.outcomes), 'candidate')} on {place(result.setting)}, in {took} of a budget of "
        f"{result.settings.budget}"
    )


def fates(result: SearchResult) -> str:
    """How many candidates ended where, most first."""
    found = Counter(one.fate for one in result.outcomes)
    told = ", ".join(
        count(number, fate) if fate == "finalist" else f"{number} {fate}" for fate, number in found.most_common()
    )
    return f"{count(len(result.outcomes), 'candidate')}: {told}"


def never_trained(result: SearchResult) -> str:
    """The share that needed no training."""
    return f"never trained: {percent(result.never_trained)} of those that were measured"


def predicts(result: SearchResult) -> str | None:
    """How well the cost table predicts; None where nothing tells."""
    costs = result.costs
    if costs is None or costs.spearman is None or costs.median_error is None:
        return None
    return (
        f"the cost table predicts each of {costs.n} files from the others with rank correlation "
        f"{decimal(costs.spearman)}, {percent(costs.median_error)} off in the median"
    )


def network(candidate: Candidate) -> str:
    """Whether it is the trained network still, or the file that there was."""
    if isinstance(candidate.recipe, FromFile):
        return "the same file in other numbers"
    return "the same network" if candidate.same_network else "another network"


def times(share: float) -> str:
    """A latency as a share of the reference's, as a speed-up."""
    return factor(1 / share)


def lost(share: float, basis: Basis = "accuracy") -> str:
    """What it loses of the validation images, or wins; or of the score, or what it takes of the tolerance."""
    if basis == "agreement":
        return "beyond the tolerance" if share > 1 else f"{percent(share)} of the tolerance taken"
    if basis == "score":
        return f"a score {decimal(abs(share))} {'lower' if share > 0 else 'higher'}" if share else "the same score"
    if not share:
        return "no validation image lost"
    return f"{percent(abs(share))} of the validation images {'lost' if share > 0 else 'won'}"


def amount(share: float, basis: Basis) -> str:
    """The same as a figure of a column that says what it is."""
    if basis == "agreement":
        return "beyond it" if share > 1 else percent(share)
    return decimal(share) if basis == "score" else percent(share)


# What such a column is called.
AMOUNTS: dict[Basis, str] = {"score": "Score lost", "agreement": "Tolerance taken"}
IMAGES = "Validation images lost"


def when_chosen(result: SearchResult, one: Outcome) -> str:
    """The figures that chose it."""
    time = None if one.screened is None else one.screened.time
    loss = result.loss(one)
    told = [] if time is None else [times(time)]
    told += [] if loss is None else [lost(loss, result.basis)]
    return f"{', '.join(told) or 'no figures'} when it was chosen"


def confirmed(result: SearchResult, one: Outcome) -> str:
    """What the session of its own says."""
    found = one.confirmed
    if found is None:
        return "not measured again"
    ratio = "no ratio" if found.ratio is None else speedup(found.ratio)
    return f"{ratio} in a session of its own, {_kept(result, found)}: {found.keeping}"


def _kept(result: SearchResult, found: Confirmed) -> str:
    if found.accuracy is not None and found.reference_accuracy is not None:
        beside = percent(found.reference_accuracy.value)
        return f"accuracy {percent(found.accuracy.value)} beside {beside} on the test images"
    if found.lost is None:
        return "not asked again"
    return f"{lost(found.lost.lost, result.basis)} on {count(found.lost.samples, 'sample')} that it had not seen"


def passed_over(result: SearchResult) -> tuple[str, ...]:
    """Why finalists are not recommended, a line each."""
    told = ((one.candidate.name, one.confirmed) for one in result.finalists if one.confirmed is not None)
    return tuple(f"{name}: {found.reason}" for name, found in told if found.reason and not found.recommended)


def finalist(result: SearchResult, one: Outcome) -> str:
    """A finalist with both figures."""
    word = ", recommended" if one.confirmed is not None and one.confirmed.recommended else ""
    told = f"{when_chosen(result, one)}; {confirmed(result, one)}{word}"
    return f"{one.candidate.name} ({network(one.candidate)}): {told}"


def curse(result: SearchResult, one: Outcome) -> str:
    """Why the figures that chose it are not those to believe, and how far they were off."""
    unseen = "test images" if result.basis == "accuracy" else "samples"
    measured = sum(other.screened is not None for other in result.outcomes)
    why = (
        f"The figures that chose it are the best of {count(measured, 'candidate')}: who wins was lucky, too (the "
        f"winner's curse). The session of its own chose nothing, and its {unseen} nothing in the search has seen: "
        f"believe that one."
    )
    ratio = None if one.confirmed is None else one.confirmed.ratio
    time = None if one.screened is None else one.screened.time
    return why if ratio is None or time is None else f"{why} {_off(1 / time, ratio)}"


def _off(chosen: float, ratio: Interval) -> str:
    where = "above" if chosen > ratio.high else "below" if chosen < ratio.low else "in"
    return f"It says {factor(ratio.value)}; the {factor(chosen)} by which it was chosen lie {where} its interval."
