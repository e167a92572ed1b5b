"""Confidence intervals of latencies and of their ratios, from few processes. Pure.

Both spread by factors, so that everything is computed of logarithms.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from common.schema.base import Interval

# The signed-rank interval of fewer values is no narrower than their range, and that is no 95 % interval.
FEWEST_FOR_RANKS = 6
# Two-sided quantiles of Student's t with n - 1 degrees of freedom, for n values.
STUDENT = {
    0.95: {2: 12.706205, 3: 4.302653, 4: 3.182446, 5: 2.776445},
    0.90: {2: 6.313752, 3: 2.919986, 4: 2.353363, 5: 2.131847},
}
# Smaller differences are never claimed, as a share: what a build or a layout of memory does by chance.
LEAST_FLOOR = 0.02
Vector = npt.NDArray[np.float64]


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The typical one of positive `values` with its interval of `confidence` (0.95 or 0.9); None for fewer than two.

    Student's of the logarithms below six values. From six on the Hodges-Lehmann estimate, the median of the Walsh
    averages (Hodges and Lehmann 1963), with the interval that inverts Wilcoxon's signed-rank test: single bursts
    hardly move it.
    """
    if len(values) < 2:  # noqa: PLR2004
        return None
    logs = np.log(np.asarray(values, dtype=np.float64))
    value, low, high = _student(logs, confidence) if len(logs) < FEWEST_FOR_RANKS else _ranks(logs, confidence)
    return Interval(value=float(np.exp(value)), low=float(np.exp(low)), high=float(np.exp(high)), confidence=confidence)


def _student(logs: Vector, confidence: float) -> tuple[float, float, float]:
    mean = float(logs.mean())
    reach = STUDENT[confidence][len(logs)] * float(logs.std(ddof=1)) / len(logs) ** 0.5
    return mean, mean - reach, mean + reach


def _ranks(logs: Vector, confidence: float) -> tuple[float, float, float]:
    first, second = np.triu_indices(len(logs))
    walsh = np.sort((logs[first] + logs[second]) / 2)
    end = signed_rank_place(len(logs), confidence)
    return float(np.median(walsh)), float(walsh[end - 1]), float(walsh[-end])


@cache
def signed_rank_place(count: int, confidence: float) -> int:
    """k such that the k-th smallest and k-th largest Walsh average of `count` values bound the interval: the largest
    one whose exact tail of the signed-rank statistic is at most half of 1 - `confidence`."""
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, count + 1):
        shifted = np.zeros_like(ways)
        shifted[rank:] = ways[:-rank]
        ways = (ways + shifted) / 2
    # Rounding must not turn 0.025 into something above it.
    tail = (1 - confidence) / 2 + 1e-12
    return max(1, int(np.searchsorted(np.cumsum(ways), tail, side="right")))
