"""What the protocol is held against: its own rules before brackets, and usual practice. Pure, many sessions at once.

The rules before (commit fe0f980): every round holds each cell once in a shuffled order, the reference among them; the
ratio of a round is the reference's latency over the cell's; the interval of a median is a percentile bootstrap, below
five rounds Student's of logarithms; a claim is an interval that excludes 1. On the same draws that commit's own code
gives the same intervals.
"""

from math import comb

import numpy as np

from common.intervals import STUDENT
from tests.benchmarks.simulated.noises import GRID_S, Array, Draws

FEWEST_RESAMPLED = 5
RESAMPLES = 10_000
TAIL = 0.025
# Usual practice: whoever differs by more than so much is faster or slower.
PRACTICE = np.log(1.03)


def latencies(draws: Draws, cells: int, rounds: int, seed: tuple[int, ...]) -> Array:
    """Logarithms of measured / true latency (sessions, rounds, cells) of shuffled rounds."""
    random = np.random.default_rng(seed)
    sessions = len(draws.path)
    found = np.empty((sessions, rounds, cells))
    starts = np.cumsum(draws.seconds, axis=1) - draws.seconds
    every = np.arange(sessions)
    for number in range(rounds):
        order = random.permuted(np.tile(np.arange(cells), (sessions, 1)), axis=1)
        for place in range(cells):
            process = number * cells + place
            moment = (starts[:, process] / GRID_S).astype(int)
            found[every, number, order[:, place]] = draws.path[every, moment] + draws.process[:, process]
    return found


def interval(ratios: Array) -> tuple[Array, Array]:
    """Both ends of the interval before, of logarithms of ratios (..., rounds)."""
    count = ratios.shape[-1]
    if count < FEWEST_RESAMPLED:
        mean, reach = ratios.mean(-1), STUDENT[0.95][count] * ratios.std(-1, ddof=1) / count**0.5
        return mean - reach, mean + reach
    if count % 2 == 0:
        return _resampled(ratios)
    ordered, place = np.sort(ratios, axis=-1), bootstrap_place(count)
    return ordered[..., place], ordered[..., -1 - place]


def bootstrap_place(count: int) -> int:
    """Which of an odd number of ordered values the resampled median's 2.5 % quantile is, from 0."""
    half = count // 2

    def at_most(place: int) -> float:
        """Probability that the median of a resample is one of the lowest `place` + 1 values."""
        share = (place + 1) / count
        return sum(comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(half + 1, count + 1))

    return next(place for place in range(count) if at_most(place) > TAIL)


def _resampled(ratios: Array) -> tuple[Array, Array]:
    """The percentiles of resampled medians of an even number of values; one seed makes the same resamples for all."""
    count = ratios.shape[-1]
    draws = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    flat = np.exp(ratios.reshape(-1, count))
    ends = np.empty((len(flat), 2))
    for number, values in enumerate(flat):
        ends[number] = np.percentile(np.median(values[draws], axis=1), (100 * TAIL, 100 - 100 * TAIL))
    low, high = (np.log(ends[:, side]).reshape(ratios.shape[:-1]) for side in (0, 1))
    return low, high


def called(ratios: Array) -> Array:
    """What the rules before call the variant of logarithms of ratios (..., rounds): 1 faster, -1 slower, 0 neither."""
    low, high = interval(ratios)
    return np.where(low > 0, 1.0, np.where(high < 0, -1.0, 0.0))


def called_in_practice(ratios: Array) -> Array:
    """The same by usual practice, of logarithms of single ratios."""
    return np.where(np.abs(ratios) > PRACTICE, np.sign(ratios), 0.0)
