"""The split: stratified, by group, and the same whatever the order."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.split import Group, Shares, divide, groups_of


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@st.composite
def many_groups(draw: st.DrawFn) -> list[Group]:
    drawn = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=80))
    return [Group(size, label, key(number)) for number, (size, label) in enumerate(drawn)]


SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def many_shares(draw: st.DrawFn) -> Shares:
    validation = draw(st.floats(0.1, 0.9))
    return Shares(validation, draw(st.one_of(st.just(0.0), st.floats(0.05, 1 - validation))))


def by_key(groups: Sequence[Group], shares: Shares, seed: int) -> dict[str, int]:
    chosen = divide(groups, shares, seed).tolist()
    return {group.key: split for group, split in zip(groups, chosen, strict=True)}


@given(many_groups(), many_shares(), SEEDS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(groups: list[Group], shares: Shares, seed: int, random: object) -> None:
    shuffled = list(groups)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert by_key(groups, shares, seed) == by_key(shuffled, shares, seed)


@given(many_groups(), many_shares(), SEEDS)
def test_each_class_gets_its_share(groups: list[Group], shares: Shares, seed: int) -> None:
    chosen = divide(groups, shares, seed)
    for label in {group.label for group in groups}:
        own = [n for n, group in enumerate(groups) if group.label == label]
        total = sum(groups[n].size for n in own)
        largest = max(groups[n].size for n in own)
        for split, share in enumerate((1 - shares.validation - shares.test, shares.validation, shares.test)):
            given_to = sum(groups[n].size for n in own if chosen[n] == split)
            # A split that would be empty gets a group from another one, and rounding counts once per split.
            assert abs(given_to - share * total) <= 2 * largest + 1
        assert len(set(chosen[own])) == min(len(own), len(shares.splits))


@given(many_groups(), st.floats(0.1, 0.9), SEEDS)
def test_without_test_images_the_split_is_the_one_of_old(groups: list[Group], share: float, seed: int) -> None:
    """The published figures are of this split."""
    chosen = by_key(groups, Shares(share), seed)
    for label in {group.label for group in groups}:
        own = [group for group in groups if group.label == label]
        own.sort(key=lambda group: (hashlib.sha256(f"{seed}:{group.key}".encode()).hexdigest(), group.key))
        room, expected = round(share * sum(group.size for group in own)), []
        for group in own:
            expected.append(int(group.size <= room))
            room -= group.size * expected[-1]
        if 0 < sum(expected) < len(own):
            assert [chosen[group.key] for group in own] == expected


@given(many_groups(), SEEDS)
def test_another_validation_share_leaves_the_test_images(groups: list[Group], seed: int) -> None:
    few, many = divide(groups, Shares(0.1, 0.25), seed), divide(groups, Shares(0.3, 0.25), seed)
    for label in {group.label for group in groups}:
        own = [n for n, group in enumerate(groups) if group.label == label]
        # Where there are fewer groups, they are shared out so that no split is empty.
        if len(own) > 20:
            assert ((few[own] == 2) == (many[own] == 2)).all()


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
    assert by_key(groups, Shares(0.25), 1) != by_key(groups, Shares(0.25), 2)


@pytest.mark.parametrize("shares", [Shares(0.25), Shares(0.20, 0.25)])
def test_one_more_image_moves_few_others(shares: Shares) -> None:
    groups = [Group(1, 0, key(n)) for n in range(100)]
    before, after = by_key(groups, shares, 1), by_key([*groups, Group(1, 0, key(100))], shares, 1)
    assert sum(before[k] != after[k] for k in before) <= 2 * len(shares.splits) - 3


def test_exact_shares_of_single_images() -> None:
    groups = [Group(1, n % 2, key(n)) for n in range(200)]
    for shares, counts in ((Shares(0.25), [75, 25]), (Shares(0.20, 0.25), [55, 20, 25])):
        chosen = divide(groups, shares, 42)
        assert np.bincount(chosen[::2]).tolist() == np.bincount(chosen[1::2]).tolist() == counts
