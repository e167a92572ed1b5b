"""Intervals of few values: against scipy's quantiles, the published places, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from common.intervals import STUDENT, interval, signed_rank_place


def test_one_value_has_no_interval() -> None:
    assert interval([3.0]) is None
    assert interval([]) is None


@pytest.mark.parametrize("confidence", [0.95, 0.9])
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_students_quantiles(confidence: float, count: int) -> None:
    assert STUDENT[confidence][count] == pytest.approx(stats.t.ppf((1 + confidence) / 2, count - 1), rel=1e-6)


@pytest.mark.parametrize(("count", "place"), [(6, 1), (7, 3), (8, 4), (9, 6), (10, 9), (12, 14), (15, 26)])
def test_places_of_the_signed_rank_interval(count: int, place: int) -> None:
    assert signed_rank_place(count, 0.95) == place


@pytest.mark.parametrize("confidence", [0.95, 0.9])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 8, 10, 13, 15])
def test_it_holds_the_true_value_as_often_as_it_says(count: int, confidence: float) -> None:
    random = np.random.default_rng(count)
    draws = np.exp(random.normal(np.log(1.3), 0.2, (2000, count)))
    found = [interval(row.tolist(), confidence) for row in draws]
    inside = np.mean([one is not None and one.low <= 1.3 <= one.high for one in found])
    # Ranks can only take steps, all of them above the confidence; 2.5 standard errors of 2,000 draws.
    slack = 2.5 * np.sqrt(confidence * (1 - confidence) / 2000)
    assert inside >= confidence - slack
    assert inside <= confidence + slack + (0.025 if count >= 6 else 0)


def test_a_burst_hardly_moves_it() -> None:
    calm = [1.00, 1.01, 0.99, 1.02, 0.98, 1.01, 1.00, 0.99, 1.01, 1.00, 1.02, 0.99]
    burst = [*calm[:-1], 4.0]
    found = interval(burst)
    assert found is not None
    assert found.value == pytest.approx(1.0, abs=0.02)
    assert found.high < 1.1


@pytest.mark.parametrize("count", [2, 5, 6, 15])
def test_equal_values_leave_no_width(count: int) -> None:
    found = interval([7.0] * count)
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((7.0, 7.0, 7.0))


@pytest.mark.parametrize("count", [3, 6, 9])
def test_turning_the_ratio_turns_the_interval(count: int) -> None:
    values = np.exp(np.random.default_rng(1).normal(0, 0.1, count)).tolist()
    one, other = interval(values), interval([1 / value for value in values])
    assert one is not None
    assert other is not None
    assert (1 / other.high, 1 / other.value, 1 / other.low) == pytest.approx((one.low, one.value, one.high))
