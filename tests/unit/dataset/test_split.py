"""The split: stratified, by group, and the same whatever the order."""

import hashlib
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.split import Group, groups_of, validation_groups


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@st.composite
def many_groups(draw: st.DrawFn) -> list[Group]:
    drawn = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=80))
    return [Group(size, label, key(number)) for number, (size, label) in enumerate(drawn)]


SHARES = st.floats(0.1, 0.9)
SEEDS = st.integers(0, 2**31 - 1)


def by_key(groups: Sequence[Group], share: float, seed: int) -> dict[str, bool]:
    chosen = validation_groups(groups, share, seed).tolist()
    return {group.key: side for group, side in zip(groups, chosen, strict=True)}


@given(many_groups(), SHARES, SEEDS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(groups: list[Group], share: float, seed: int, random: object) -> None:
    shuffled = list(groups)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert by_key(groups, share, seed) == by_key(shuffled, share, seed)


@given(many_groups(), SHARES, SEEDS)
def test_each_class_gets_its_share(groups: list[Group], share: float, seed: int) -> None:
    chosen = validation_groups(groups, share, seed)
    for label in {group.label for group in groups}:
        own = [n for n, group in enumerate(groups) if group.label == label]
        total = sum(groups[n].size for n in own)
        held_out = sum(groups[n].size for n in own if chosen[n])
        largest = max(groups[n].size for n in own)
        assert abs(held_out - share * total) <= largest + 0.5
        if len(own) > 1:
            assert chosen[own].any()
            assert not chosen[own].all()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=60))
def test_groups_hold_every_image_once(images: list[tuple[int, int]]) -> None:
    labels = np.array([label for label, _ in images], np.int32)
    _, numbers = np.unique([number for _, number in images], return_inverse=True)
    hashes = [key(n) for n in range(len(images))]
    groups = groups_of(labels, numbers, hashes)
    assert sum(group.size for group in groups) == len(images)
    for number, group in enumerate(groups):
        own = np.flatnonzero(numbers == number)
        counts = np.bincount(labels[own], minlength=3)
        assert counts[group.label] == counts.max()
        assert group.key == min(hashes[n] for n in own)


def test_another_seed_gives_another_split() -> None:
    groups = [Group(1, 0, key(n)) for n in range(100)]
    assert by_key(groups, 0.25, 1) != by_key(groups, 0.25, 2)


def test_one_more_image_moves_few_others() -> None:
    groups = [Group(1, 0, key(n)) for n in range(100)]
    before, after = by_key(groups, 0.25, 1), by_key([*groups, Group(1, 0, key(100))], 0.25, 1)
    assert sum(before[k] != after[k] for k in before) <= 1


def test_exact_shares_of_single_images() -> None:
    chosen = validation_groups([Group(1, n % 2, key(n)) for n in range(200)], 0.25, 42)
    assert chosen.sum() == 50
    assert chosen[::2].sum() == 25
