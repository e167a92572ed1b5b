"""Pettitt's test for a change in a series, by its permutation distribution. Pure.

Pettitt (1979), A non-parametric approach to the change-point problem, Applied Statistics 28, 126-135. Only ranks count,
so that a burst is one large value and no more. The series is cut at a change and both parts are tested again (binary
segmentation). Under the hypothesis of no change every order of the values is as likely, and so the distribution of the
statistic is drawn, and not approximated: the approximation of the paper shows nothing in fewer than 13 values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, factorial

import numpy as np
import numpy.typing as npt

NAME = "Pettitt's test (1979), permutation distribution"
# Below it no order of the values is rare enough for anything.
FEWEST = 4
MOST = 10_000
SEED = 1979
# Orders that are drawn: a hundred beyond the level, within bounds, so many at once.
FEWEST_DRAWS, MOST_DRAWS, BATCH = 20_000, 200_000, 2000
# A statistic that is large, as a share of the largest; and how often changes are moved between their neighbours.
LARGE, MOST_TURNS = 0.75, 10
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A change: `place` values come before it; `p` is the share of orders that look as much like one."""

    place: int
    p: float


def least_p(values: int) -> float:
    """The smallest p that so many values can have: all of one half are below all of the other. Exact without ties, too
    small with them."""
    if values < FEWEST:
        return 1.0
    half = values // 2
    if values % 2 == 0:
        return 2 / comb(values, half)
    # Both cuts beside the middle are as far apart, and orders in which both are count once.
    return 4 / comb(values, half) - 2 * factorial(half) ** 2 / factorial(values)


def needed(level: float) -> int:
    """From how many values on a change can be shown at a level."""
    return next(values for values in range(FEWEST, MOST) if least_p(values) <= level)


def together(lengths: Sequence[int], level: float) -> int:
    """By how many the level is divided where series of these lengths are tested together: those that could show a
    change at that level, 1 at least (Tarone 1990, A modified Bonferroni method for discrete data, Biometrics 46,
    515-522). The others can never be named, and take no part of it."""
    least = sorted(map(least_p, lengths))
    return next(k for k in range(1, len(least) + 2) if sum(p <= level / k for p in least) <= k)


def changes(values: Sequence[float], level: float) -> tuple[Found, ...]:
    """Every change of a series of positive values at a level, in order."""
    logs = np.log(np.asarray(values, np.float64))
    return tuple(_settled(logs, _changes(logs, 0, level), level))


def _changes(logs: Vector, start: int, level: float) -> list[Found]:
    """Cut in two at a change, and both parts again."""
    found = _change(logs, level)
    if found is None:
        return []
    before, after = logs[: found.place], logs[found.place :]
    here = start + found.place
    return [*_changes(before, start, level), Found(here, found.p), *_changes(after, here, level)]


def _settled(logs: Vector, found: list[Found], level: float) -> list[Found]:
    """Each change again, between its neighbours: the first cut of a series with several lies where it had to stand for
    all of them (Bai 1997, Estimating multiple breaks one at a time). Those that are none any more are left out."""
    for _ in range(MOST_TURNS):
        before = found
        for number in range(len(found) - 1, -1, -1):
            start = found[number - 1].place if number else 0
            end = found[number + 1].place if number + 1 < len(found) else len(logs)
            again = _change(logs[start:end], level)
            kept = [] if again is None else [Found(start + again.place, again.p)]
            found = [*found[:number], *kept, *found[number + 1 :]]
        if found == before:
            break
    return found


def _change(logs: Vector, level: float) -> Found | None:
    if least_p(len(logs)) > level:
        return None
    found = statistics(logs)
    largest = found.max()
    drawn = _drawn(len(logs), _draws(level))
    p = (1 + len(drawn) - int(np.searchsorted(drawn, largest - 1e-9))) / (1 + len(drawn))
    return Found(_place(logs, found), p) if p <= level else None


def _place(logs: Vector, found: Vector) -> int:
    """Where a change is. The statistic grows towards the middle of a series, so that its maximum lies there rather than
    at the change; of the cuts at which it is large, the one from whose two medians the values deviate least."""
    cuts = 1 + np.flatnonzero(found >= LARGE * found.max())
    left = [sum(float(np.abs(part - np.median(part)).sum()) for part in (logs[:cut], logs[cut:])) for cut in cuts]
    return int(cuts[int(np.argmin(left))])


def statistics(values: Vector) -> Vector:
    """The absolute U(t) = 2 R(t) - t (n + 1) for t from 1 to n - 1, with R(t) the sum of the first t ranks. The largest
    is the test's statistic."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    # Equal values share the mean of their ranks.
    return np.abs(_statistics((np.cumsum(counts) - (counts - 1) / 2)[which]))


def _statistics(ranks: Vector) -> Vector:
    """U(t) for t from 1 to n - 1, along the last axis."""
    size = ranks.shape[-1]
    sums: Vector = 2 * np.cumsum(ranks, axis=-1)[..., :-1] - np.arange(1, size) * (size + 1)
    return sums


def _draws(level: float) -> int:
    return int(min(MOST_DRAWS, max(FEWEST_DRAWS, 100 / level)))


@lru_cache(maxsize=256)
def _drawn(size: int, draws: int) -> Vector:
    """The statistic of so many orders of `size` values, sorted."""
    random = np.random.default_rng([SEED, size])
    ranks = np.tile(np.arange(1, size + 1, dtype=np.float64), (BATCH, 1))
    found = [np.abs(_statistics(random.permuted(ranks, axis=1))).max(axis=1) for _ in range(draws // BATCH)]
    return np.sort(np.concatenate(found))
