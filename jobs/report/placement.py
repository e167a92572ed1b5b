"""Where points and labels of the size-accuracy chart go, so that none hides another. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# Pixels.
LABEL_GAP = 16
LEAST_HEIGHT = 240
# Relative: sizes nearer than this count as the same and are moved apart ...
SAME_SIZE = 1.04
# ... by this factor from one to the next, together by at most the second.
STEP, WIDEST = 1.03, 1.2
# Relative room beside the outermost sizes, on a logarithmic axis.
MARGIN = 1.25
# Percentage points around the intervals.
PADDING = 0.5


@dataclass(frozen=True)
class Point:
    """A variant: size in MB of 10**6 bytes, accuracy and its interval in per cent."""

    size_mb: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Spot:
    """Where its point stands (MB) and its label (per cent)."""

    x: float
    label_y: float


@dataclass(frozen=True)
class Placement:
    """The chart's ends in MB and per cent, its height in pixels, and a spot per point."""

    left: float
    right: float
    bottom: float
    top: float
    height: int
    spots: tuple[Spot, ...]


def place(points: Sequence[Point]) -> Placement:
    """Placement the chart of at least one point of a positive size."""
    xs = apart([point.size_mb for point in points])
    bottom, top = min(point.low for point in points) - PADDING, max(point.high for point in points) + PADDING
    height = max(LEAST_HEIGHT, LABEL_GAP * (len(points) + 1))
    wanted = [(top - point.accuracy) / (top - bottom) * height for point in points]
    labels = spread(wanted, LABEL_GAP, height)
    spots = tuple(Spot(x, top - y / height * (top - bottom)) for x, y in zip(xs, labels, strict=True))
    return Placement(min(xs) / MARGIN, max(xs) * MARGIN, bottom, top, height, spots)


def apart(sizes: Sequence[float]) -> list[float]:
    """The sizes, those that are nearly the same moved apart around their own middle."""
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    groups = [order[:1]]
    for before, index in pairwise(order):
        if sizes[index] <= SAME_SIZE * sizes[before]:
            groups[-1].append(index)
        else:
            groups.append([index])
    moved = list(sizes)
    for group in groups:
        if len(group) == 1:
            continue
        step = min(STEP, WIDEST ** (1 / (len(group) - 1)))
        middle = sizes[group[len(group) // 2]]
        for place_in_group, index in enumerate(group):
            moved[index] = middle * step ** (place_in_group - (len(group) - 1) / 2)
    return moved


def spread(wanted: Sequence[float], gap: float, limit: float) -> list[float]:
    """Positions from 0 to `limit` at least `gap` apart, in the order of those wanted and near them.

    There must be room: gap * (len - 1) <= limit.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    least = 0.0
    for index in order:
        placed[index] = least = max(wanted[index], least)
        least += gap
    most = limit
    for index in reversed(order):
        placed[index] = most = min(placed[index], most)
        most -= gap
    return placed
