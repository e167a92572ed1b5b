"""Figures against numpy and cases done by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.benchmark.statistics import bootstrap_median, stat

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
    found = bootstrap_median(samples, seed)
    if len(samples) < 2:
        assert found is None
        return
    assert found is not None
    assert min(samples) <= found.low <= found.value <= found.high <= max(samples)
    assert found == bootstrap_median(samples, seed)


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    intervals = [bootstrap_median(random.normal(10, 1, 20).tolist(), 1) for _ in range(200)]
    covered = sum(found is not None and found.low <= 10 <= found.high for found in intervals)
    assert 0.88 <= covered / 200 <= 1.0
