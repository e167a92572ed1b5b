"""Confidence interval of a share."""

from math import sqrt
from statistics import NormalDist

from common.schema.base import Proportion


def wilson(successes: int, total: int, confidence: float = 0.95) -> Proportion:
    """Wilson score interval (E. B. Wilson, JASA 22, 1927) of `successes` out of `total` > 0."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / total
    scale = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / scale
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / scale
    return Proportion(
        successes=successes,
        total=total,
        value=share,
        low=max(0.0, centre - half),
        high=min(1.0, centre + half),
        confidence=confidence,
    )
