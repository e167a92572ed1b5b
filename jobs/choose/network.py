"""Whether another network gained more than optimising the trained one did. Pure.

One side gained more only when one of its variants beats every variant of the other side in size and, paired
round by round, in speed. Only variants that may be recommended count.
"""

from collections.abc import Sequence

from common.schema.choice import Candidate
from jobs.choose.recommend import Case, Recommendation
from jobs.choose.wording import figures, label


def compare(case: Case, chosen: Recommendation) -> str | None:
    """The comparison in words, with the figures; None where there is no other network or nothing to compare."""
    eligible = [standing.candidate for standing in chosen.standings if standing.eligible]
    others = [candidate for candidate in eligible if candidate.other_network]
    same = [candidate for candidate in eligible if not candidate.other_network]
    # Without latencies of which one can be ranked, half of the comparison is missing.
    if case.setting is None or not same or not any(candidate.other_network for candidate in case.candidates):
        return None
    if not others:
        return (
            "No variant of another network was measured and keeps the accuracy: the gain is the optimisation's alone."
        )
    if (winner := _winner(others, same, case)) is not None:
        plain = [candidate for candidate in others if not candidate.quantised]
        sentence = f"The network mattered more than the quantiser: {_figures(winner, same, case)}."
        return f"{sentence} {_share(winner, _winner(plain, same, case))}"
    if (winner := _winner(same, others, case)) is not None:
        return f"The quantiser mattered more than the network: {_figures(winner, others, case)}."
    return (
        "Neither the network nor the quantiser gained more in both size and speed: "
        f"{_figures(_least(others), same, case)}."
    )


def _winner(side: Sequence[Candidate], other: Sequence[Candidate], case: Case) -> Candidate | None:
    """Of those that beat the whole other side, the one with the least size times latency."""
    winners = [candidate for candidate in side if all(_beats(candidate, rival, case) for rival in other)]
    return _least(winners) if winners else None


def _beats(candidate: Candidate, rival: Candidate, case: Case) -> bool:
    return candidate.size_bytes < rival.size_bytes and case.clearly_faster(candidate, rival) is True


def _least(side: Sequence[Candidate]) -> Candidate:
    def cost(candidate: Candidate) -> float:
        return candidate.size_bytes / (1.0 if candidate.ratio is None else candidate.ratio.value)

    return min(side, key=cost)


def _figures(winner: Candidate, rivals: Sequence[Candidate], case: Case) -> str:
    rival = _least(rivals)
    kind = "another network" if winner.other_network else "the trained network"
    beside = "the best of the trained network" if winner.other_network else "the best of another"
    return (
        f"{label(winner.name)} ({kind}) has {figures(winner, case.own)}; "
        f"{beside}, {label(rival.name)}, {figures(rival, case.own)}"
    )


def _share(winner: Candidate, plain: Candidate | None) -> str:
    """How much of the gain of another network is the quantiser's."""
    if plain is None:
        return f"{label(winner.name)} is quantised too, so a part of its gain is the quantiser's."
    if plain.name == winner.name:
        return "It is not quantised itself."
    return f"Without any quantisation {label(plain.name)} beats them all as well."
