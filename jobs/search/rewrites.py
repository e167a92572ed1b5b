"""Which layers are rewritten, and which keep their numbers: what the target is faster with. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.schema.search_result import Mixed, Rewrites
from common.schema.variant import Variant

# A difference within this share of a latency is no reason to leave a layer as it is, nor to change it.
NO_MATTER = 0.01


def changed(variant: Variant, name: str) -> tuple[str, ...]:
    """The layers that a variant's pass of this name changed, in the network's order."""
    return tuple(note.layer for one in variant.passes if one.name == name for note in one.layers if note.changed)


def decided(number: str, times: Mapping[str, float], separable: Sequence[str], normalised: Sequence[str]) -> Rewrites:
    """What to rewrite in a number format. `times` are latencies as shares of the reference's, by the names of
    `space.single_rewrites` and of the rewrites of the whole.

    A layer is merged where the network with it alone merged is faster than without, and a BatchNormalization is folded
    unless the network is faster with it alone left. Where one was not measured the whole decides.
    """
    folded, merged = times.get("folded"), times.get("merged")
    whole = merged is not None and folded is not None and merged < folded
    merge = [
        name for place, name in enumerate(separable) if _faster(times.get(f"merged_{place}"), folded, otherwise=whole)
    ]
    fold = [
        name
        for place, name in enumerate(normalised)
        if not _faster(times.get(f"folded_but_{place}"), folded, otherwise=False)
    ]
    return Rewrites(
        format=number,
        merged=tuple(merge),
        not_merged=tuple(name for name in separable if name not in merge),
        folded=tuple(fold),
        not_folded=tuple(name for name in normalised if name not in fold),
    )


@dataclass(frozen=True)
class Cost:
    """A latency as a share of the reference's, and what is lost of the validation images."""

    time: float
    loss: float


def mixed(number: str, base: str, whole: Cost, groups: Sequence[tuple[str, ...]], alone: Mapping[int, Cost]) -> Mixed:
    """Which groups of layers to leave in float32 in a number format. `whole` is the candidate `base`, all in that
    format, `alone` the same with one group left in float32, by the number of the group.

    A group is left where the target is faster so, or where less is lost and it is not slower at all; one that was not
    measured is not.
    """
    left = [place for place in range(len(groups)) if place in alone and _better(alone[place], whole)]
    return Mixed(
        format=number,
        base=base,
        in_float=tuple(groups[place] for place in left),
        not_in_float=tuple(group for place, group in enumerate(groups) if place not in left),
    )


def _better(one: Cost, whole: Cost) -> bool:
    faster = _faster(one.time, whole.time, otherwise=False)
    return faster or (one.loss < whole.loss and one.time <= whole.time)


def _faster(time: float | None, other: float | None, *, otherwise: bool) -> bool:
    if time is None or other is None:
        return otherwise
    return time < other * (1 - NO_MATTER)
