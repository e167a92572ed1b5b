"""Figures against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.benchmark.statistics import stat

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
