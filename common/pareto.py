"""What is better in every respect. Pure."""

from collections.abc import Sequence


def dominates(mine: Sequence[float], others: Sequence[float]) -> bool:
    """Whether one is no worse in every respect, each wanted small, and better in one (Pareto)."""
    return all(a <= b for a, b in zip(mine, others, strict=True)) and tuple(mine) != tuple(others)
