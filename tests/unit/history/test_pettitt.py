"""Pettitt's test: its statistic, its distribution, and what it names in series whose truth is known."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.history.pettitt import changes, least_p, needed, statistics, together

LEVEL = 0.05


@given(st.lists(st.integers(0, 20), min_size=2, max_size=30))
def test_the_statistic_is_the_papers_sum_of_signs(values: list[int]) -> None:
    told = [abs(sum(np.sign(a - b) for a in values[:place] for b in values[place:])) for place in range(1, len(values))]
    assert statistics(np.array(values, float)) == pytest.approx(told)


@pytest.mark.parametrize("size", [4, 5, 6, 7])
def test_the_least_p_is_that_of_all_orders(size: int) -> None:
    found = np.array([statistics(np.array(order, float)).max() for order in itertools.permutations(range(size))])
    assert least_p(size) == pytest.approx((found == found.max()).mean())


def test_a_p_is_that_of_all_orders() -> None:
    values = [3.0, 1.0, 5.0, 2.0, 6.0, 4.0, 7.0]
    own = statistics(np.array(values)).max()
    exact = np.mean([statistics(np.array(order, float)).max() >= own for order in itertools.permutations(range(7))])
    [found] = changes(values, 0.3)
    assert found.p == pytest.approx(exact, rel=0.05)


def test_no_p_is_so_small_that_too_few_values_show_a_change() -> None:
    assert [needed(LEVEL / cells) for cells in (1, 5, 26, 100)] == [8, 10, 14, 16]
    assert changes([1.0] * 3 + [9.0] * 4, LEVEL) == () and len(changes([1.0] * 4 + [9.0] * 4, LEVEL)) == 1


def test_only_series_that_can_show_a_change_share_the_level() -> None:
    assert together([], LEVEL) == 1
    # At a fifth of the level all five of 12 sessions can, and none of six.
    assert together([12] * 5 + [6] * 100, LEVEL) == 5
    assert together([6] * 100, LEVEL) == 1


def drawn(random: np.random.Generator, sessions: int, *steps: tuple[int, float], bursts: float = 0.1) -> list[float]:
    """Latencies with 3 % of noise, half as much again in a share of the sessions, and a factor from a session on."""
    values = np.exp(random.normal(0, 0.03, sessions)) * np.where(random.random(sessions) < bursts, 1.5, 1.0)
    for place, factor in steps:
        values[place:] *= factor
    return [float(value) for value in values]


@pytest.mark.parametrize(("series", "sessions"), [(1, 12), (10, 20), (30, 40)])
def test_equal_series_name_a_change_in_at_most_the_stated_share(series: int, sessions: int) -> None:
    """400 histories; 5 % are promised, 8.5 % would be beyond three standard errors."""
    random = np.random.default_rng(sessions)
    level = LEVEL / together([sessions] * series, LEVEL)
    false = sum(any(changes(drawn(random, sessions), level) for _ in range(series)) for _ in range(400))
    assert false <= 0.085 * 400


def test_figures_of_few_digits_name_no_more() -> None:
    random = np.random.default_rng(0)
    assert (
        sum(bool(changes([round(12 * value) + 1 for value in drawn(random, 20)], LEVEL)) for _ in range(400))
        <= 0.085 * 400
    )


@pytest.mark.parametrize(("bursts", "share"), [(0.0, 0.95), (0.1, 0.7)])
@pytest.mark.parametrize("factor", [1.1, 1 / 1.1])
def test_a_tenth_is_found_where_it_is(factor: float, bursts: float, share: float) -> None:
    """Of 200 series, each judged together with 29 others."""
    random = np.random.default_rng(7)
    found = [changes(drawn(random, 30, (14, factor), bursts=bursts), LEVEL / 30) for _ in range(200)]
    assert sum(len(each) == 1 and abs(each[0].place - 14) <= 2 for each in found) >= share * 200


def test_several_changes_are_told_apart() -> None:
    random = np.random.default_rng(5)
    found = changes(drawn(random, 60, (20, 1.2), (40, 1.3)), LEVEL / 10)
    assert [math.isclose(each.place, place, abs_tol=1) for each, place in zip(found, (20, 40), strict=True)] == [
        True
    ] * 2
