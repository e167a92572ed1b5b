"""Divide images into training, validation and test. Pure, and blind to names and order."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.schema.dataset import SplitName

# Numbers of the splits besides training, which is 0.
VALIDATION, TEST = 1, 2


@dataclass(frozen=True)
class Group:
    """Images that must stay together: how many there are, the class most of them have, and the
    smallest of their content hashes."""

    size: int
    label: int
    key: str


def groups_of(
    labels: npt.NDArray[np.int32], numbers: npt.NDArray[np.int64], hashes: Sequence[str]
) -> tuple[Group, ...]:
    """Describe every group; images have a label, a group number and a content hash each."""
    members: list[list[int]] = [[] for _ in range(int(numbers.max(initial=-1)) + 1)]
    for image, number in enumerate(numbers):
        members[int(number)].append(image)
    return tuple(
        Group(len(images), int(np.bincount(labels[images]).argmax()), min(hashes[image] for image in images))
        for images in members
    )


@dataclass(frozen=True)
class Shares:
    """Of the images of each class; the rest is for training. Without a `test` share there is no such split."""

    validation: float
    test: float = 0.0

    @property
    def splits(self) -> tuple[SplitName, ...]:
        """The splits that get images, training first."""
        return ("train", "validation", "test") if self.test else ("train", "validation")


def divide(groups: Sequence[Group], shares: Shares, seed: int) -> npt.NDArray[np.int8]:
    """Which split each group is for, as its number in `shares.splits`, int8 [groups].

    Groups are drawn in an order that depends on the seed and their content alone, for the test images first,
    so that another `validation` share leaves them as they are. A group that would exceed a share is left to
    the next split. Each split gets at least one group of a class that has enough of them.
    """
    chosen = np.zeros(len(groups), np.int8)
    for label in {group.label for group in groups}:
        order = sorted((n for n, g in enumerate(groups) if g.label == label), key=lambda n: _draw(groups[n], seed))
        total = sum(groups[n].size for n in order)
        for split, share in ((TEST, shares.test), (VALIDATION, shares.validation)):
            room = round(share * total)
            for number in order:
                if not chosen[number] and groups[number].size <= room:
                    chosen[number] = split
                    room -= groups[number].size
        _fill(chosen, order, groups, len(shares.splits))
    return chosen


def _fill(chosen: npt.NDArray[np.int8], order: Sequence[int], groups: Sequence[Group], splits: int) -> None:
    """Give each split that has none of the class the smallest group of the split that has most of them."""
    for empty in range(splits):
        counts = np.bincount(chosen[order], minlength=splits)
        if not counts[empty] and counts.max() > 1:
            fullest = counts.argmax()
            chosen[min((n for n in order if chosen[n] == fullest), key=lambda n: groups[n].size)] = empty


def _draw(group: Group, seed: int) -> tuple[str, str]:
    return hashlib.sha256(f"{seed}:{group.key}".encode()).hexdigest(), group.key
