"""Who goes on: from what was measured before the training to the finalists. Pure: the same figures, the same
decisions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

from common.pareto import dominates
from common.run.keeping import Pairs, tango_lower
from common.schema.search_result import Answered, Candidate, Compared, Screened, loss

# At which a loss is ruled out.
ALPHA = 0.05
# Shares of the epochs that the rungs train, and how much more than the margin each allows: what is trained shortly has
# not won back yet what it will.
RUNGS = ((0.25, 4.0), (0.5, 2.0), (1.0, 1.0))
Objective = Literal["latency", "size"]


@dataclass(frozen=True)
class Standing:
    """A candidate with its latency as a share of the reference's, its size, and its loss on the validation images:
    before any training, or after the last one that there was. `worst` is the largest loss that these images leave
    possible."""

    candidate: Candidate
    time: float
    size_bytes: int
    loss: float
    worst: float = 1.0

    def cost(self, objective: Objective) -> tuple[float, float]:
        """What is wanted small, and what decides between equals."""
        return (self.time, self.size_bytes) if objective == "latency" else (self.size_bytes, self.time)

    def beats(self, other: "Standing", *, losses: bool) -> bool:
        """Whether it is no worse in every respect and better in one; `losses` count where both can be believed."""
        return dominates(self._respects(losses=losses), other._respects(losses=losses))

    def _respects(self, *, losses: bool) -> tuple[float, ...]:
        return (self.time, self.size_bytes, *((self.loss,) if losses else ()))


def standings(candidates: Sequence[Candidate], screened: Mapping[str, Screened], reference: Answered) -> list[Standing]:
    """Those that were measured."""
    found = ((candidate, screened.get(candidate.name)) for candidate in candidates)
    return [
        Standing(candidate, one.time, one.size_bytes, loss(one.validation, reference), worst(one.validation))
        for candidate, one in found
        if one is not None and one.time is not None
    ]


def worst(found: Answered) -> float:
    """The largest loss that is not ruled out at ALPHA: of right answers by the pairs of them beside the trained
    network's, else what is lost."""
    if isinstance(found, Compared):
        return found.lost
    return -tango_lower(Pairs(found.lost, found.won, found.images), ALPHA)


def worth_training(found: Sequence[Standing], margin: float, most: int) -> list[Standing]:
    """At most `most` of those that need training, fast to slow.

    What is neither faster nor smaller than one that keeps the margin without training has nothing to win. Of the
    trained network's own forms the front of latency, size and loss before training remains; a student's loss says
    nothing before it is taught, so of students all do. Both kinds share the places, spread evenly over the logarithm
    of the latency.
    """
    ready = [one for one in found if not one.candidate.trains and one.loss <= margin]
    left = [one for one in found if one.candidate.trains and not any(other.beats(one, losses=False) for other in ready)]
    own = [one for one in left if one.candidate.same_network]
    own = [one for one in own if not any(other.beats(one, losses=True) for other in own)]
    students = [one for one in left if not one.candidate.same_network]
    half = most // 2 if own and students else most
    few = min(len(students), half)
    return sorted([*_spread(own, most - few), *_spread(students, few)], key=lambda one: (one.time, one.candidate.name))


def _spread(found: Sequence[Standing], most: int) -> list[Standing]:
    """At most so many, evenly over the logarithm of their latencies, the fastest and the slowest among them."""
    ordered = sorted(found, key=lambda one: (one.time, one.size_bytes, one.candidate.name))
    if len(ordered) <= most:
        return ordered
    if most <= 1:
        return ordered[:most]
    first, last = log(ordered[0].time), log(ordered[-1].time)
    chosen: list[Standing] = []
    for number in range(most):
        wanted = first + (last - first) * number / (most - 1)
        rest = [one for one in ordered if one not in chosen]
        chosen.append(min(rest, key=lambda one: (abs(log(one.time) - wanted), one.candidate.name)))
    return chosen


def promoted(found: Sequence[Standing], rung: int, margin: float, objective: Objective, fewest: int) -> list[Standing]:
    """The better half of a rung, of each kind at least `fewest`: first those within what the rung allows, by the
    objective, then the others by what they lose. Where none of these is sure to keep the margin, the first that is goes
    on as well."""
    allowed = margin * RUNGS[rung][1]

    def place(one: Standing) -> tuple[float, tuple[float, float], str]:
        return max(0.0, one.loss - allowed), one.cost(objective), one.candidate.name

    kept: list[Standing] = []
    for kind in (True, False):
        same = sorted((one for one in found if one.candidate.same_network is kind), key=place)
        kept += _with_a_sure_one(same, max(fewest, -(-len(same) // 2)), margin)
    return kept


def finalists(found: Iterable[Standing], margin: float, objective: Objective, most: int) -> list[Standing]:
    """Of each kind at most `most` of those that keep the margin on the validation images, the best first. Where none of
    these is sure to keep it, the best that is comes with them: the fastest of many is the likeliest to have been lucky
    with its losses too. So does the best that was not trained, and whose weights no choice has fitted to anything."""
    kept = sorted(
        (one for one in found if one.loss <= margin), key=lambda one: (one.cost(objective), one.candidate.name)
    )
    kinds = ([one for one in kept if one.candidate.same_network is kind] for kind in (True, False))
    chosen = [one for same in kinds for one in _with_a_sure_one(same, most, margin)]
    ready = [one for one in kept if not one.candidate.trains and one.worst <= margin]
    return [*chosen, *(ready[:1] if all(one.candidate.trains for one in chosen) else [])]


def _with_a_sure_one(found: Sequence[Standing], most: int, margin: float) -> list[Standing]:
    best, rest = found[:most], [one for one in found[most:] if one.worst <= margin]
    return [*best, *([] if any(one.worst <= margin for one in best) else rest[:1])]
