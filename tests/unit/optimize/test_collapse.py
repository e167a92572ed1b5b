"""A collapse is told from a loss and from chance."""

import numpy as np
import pytest

from jobs.optimize.collapse import accuracy_kept, validated


def answers(labels: np.ndarray, right: int) -> np.ndarray:
    """Outputs that name the label of the first `right` images and the other class afterwards."""
    named = np.where(np.arange(len(labels)) < right, labels, 1 - labels)
    return np.eye(2, dtype=np.float32)[named]


def halves(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int32) % 2


@pytest.mark.parametrize(
    ("count", "before", "after", "kept"),
    [
        (400, 360, 360, True),
        (400, 360, 300, True),  # a loss, which the evaluation weighs
        (400, 360, 270, False),  # more than half of what it knew
        (8, 8, 4, True),  # as bad, and may be chance
        (400, 200, 180, True),  # it knew nothing before
    ],
)
def test_collapse(count: int, before: int, after: int, kept: bool) -> None:
    labels = halves(count)
    promise = accuracy_kept(labels, answers(labels, before), answers(labels, after))
    assert promise.kept is kept
    assert promise.observed == f"{after / count:.3f}"


def test_answers_are_counted_by_what_the_file_lost_and_won() -> None:
    labels = halves(400)
    before, after = answers(labels, 360), np.roll(answers(labels, 360), 20, axis=0)
    found = validated(labels, before, after)
    assert (found.images, found.right) == (400, 360)
    assert found.right - found.lost + found.won == (np.argmax(after, axis=1) == labels).sum()
    assert found.lost == 20 and found.won == 20


def test_the_most_frequent_class_is_what_anyone_can_guess() -> None:
    labels = (np.arange(400) % 4 == 0).astype(np.int32)
    always_zero = np.eye(2, dtype=np.float32)[np.zeros(400, int)]
    promise = accuracy_kept(labels, np.eye(2, dtype=np.float32)[labels], always_zero)
    assert not promise.kept
    assert promise.expected == ">= 0.875 (the trained network has 1.000)"


def test_outputs_that_are_no_numbers_are_a_collapse() -> None:
    labels = halves(8)
    outputs = answers(labels, 8)
    assert not accuracy_kept(labels, outputs, outputs * np.float32("nan")).kept
