"""Which layers are rewritten: those that the target is faster with. Pure."""

from collections.abc import Mapping, Sequence

from common.schema.search_result import Rewrites
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


def _faster(time: float | None, other: float | None, *, otherwise: bool) -> bool:
    if time is None or other is None:
        return otherwise
    return time < other * (1 - NO_MATTER)
