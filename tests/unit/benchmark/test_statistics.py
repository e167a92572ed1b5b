"""Figures against numpy and cases done by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.benchmark.statistics import median_interval, stat

SAMPLES = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=50)


@given(SAMPLES)
def test_stat_is_ordered_and_agrees_with_numpy(samples: list[float]) -> None:
    found = stat(samples)
    assert found.count == len(samples)
    assert found.mean_us == pytest.approx(np.mean(samples))
    assert found.median_us == pytest.approx(np.median(samples))
    assert found.min_us is not None
    assert found.max_us is not None
    assert found.p5_us is not None
    assert found.p95_us is not None
    assert found.min_us <= found.p5_us <= found.p95_us <= found.max_us
    assert (found.std_us is None) == (len(samples) == 1)


@given(SAMPLES, st.integers(0, 9))
def test_the_interval_holds_the_median_and_is_drawn_from_the_seed(samples: list[float], seed: int) -> None:
    found = median_interval(samples, seed)
    if len(samples) < 2:
        assert found is None
        return
    assert found is not None
    assert found.low <= found.value <= found.high
    if len(samples) >= 5:
        assert min(samples) <= found.low
        assert found.high <= max(samples)
    assert found == median_interval(samples, seed)


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    intervals = [median_interval(random.normal(10, 1, 20).tolist(), 1) for _ in range(200)]
    covered = sum(found is not None and found.low <= 10 <= found.high for found in intervals)
    assert 0.88 <= covered / 200 <= 1.0


@pytest.mark.parametrize("rounds", [2, 3, 4, 5, 10])
def test_equal_variants_are_rarely_called_different(rounds: int) -> None:
    random = np.random.default_rng(7)
    ratios = np.exp(random.normal(0, 0.05, (1000, rounds)))
    intervals = [median_interval(row.tolist(), 1) for row in ratios]
    wrong = sum(found is not None and not found.low <= 1 <= found.high for found in intervals)
    assert wrong / len(intervals) <= 0.08
