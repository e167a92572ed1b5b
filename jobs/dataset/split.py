"""Divide images into training and validation. Pure, and blind to names and order."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


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


def validation_groups(groups: Sequence[Group], share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which groups are for validation, bool [groups]: of each class a `share` of its images.

    Groups are drawn in an order that depends on the seed and their content alone. A group that would
    exceed the share is left to training. Each side gets at least one group of a class with two or more.
    """
    chosen = np.zeros(len(groups), np.bool_)
    for label in {group.label for group in groups}:
        order = sorted((n for n, g in enumerate(groups) if g.label == label), key=lambda n: _draw(groups[n], seed))
        room = round(share * sum(groups[n].size for n in order))
        for number in order:
            if groups[number].size <= room:
                chosen[number] = True
                room -= groups[number].size
        if len(order) > 1 and not chosen[order].any():
            chosen[min(order, key=lambda n: groups[n].size)] = True
        if len(order) > 1 and chosen[order].all():
            chosen[min(order, key=lambda n: groups[n].size)] = False
    return chosen


def _draw(group: Group, seed: int) -> tuple[str, str]:
    return hashlib.sha256(f"{seed}:{group.key}".encode()).hexdigest(), group.key
