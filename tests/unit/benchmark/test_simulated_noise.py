"""The noise that the protocol is tried in is that of the machines it was fitted to."""

import numpy as np
import pytest

from tests.benchmarks.simulated.before import bootstrap_place, called, latencies
from tests.benchmarks.simulated.noises import (
    BURSTS,
    CALM,
    GRID_S,
    LOADED,
    NOISES,
    PHONE,
    Array,
    Draws,
    Noise,
    draw,
)


def apart(draws: Draws, seconds: float) -> Array:
    """Differences of two processes so far apart, over the root of two."""
    path, steps = draws.path, int(seconds / GRID_S)
    moments = np.arange(0, path.shape[1] - steps, 37)
    every = np.arange(len(moments)) % draws.process.shape[1]
    first = path[:, moments] + draws.process[:, every]
    second = path[:, moments + steps] + draws.process[:, (every + 1) % draws.process.shape[1]]
    differences: Array = (first - second) / np.sqrt(2)
    return differences


def robust_sd(values: Array) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


@pytest.mark.parametrize(("seconds", "measured"), [(1, 0.10), (3, 0.12), (11, 0.18), (45, 0.29), (120, 0.35)])
def test_processes_on_a_loaded_machine_differ_by_their_distance_in_time(seconds: float, measured: float) -> None:
    found = robust_sd(apart(draw(LOADED, 200, 500, (1,)), seconds))
    assert found == pytest.approx(measured, rel=0.15)


@pytest.mark.parametrize(("seconds", "measured"), [(1, 0.08), (3, 0.11), (11, 0.13), (45, 0.13)])
def test_bursts_last_for_seconds_and_are_rare(seconds: float, measured: float) -> None:
    differences = apart(draw(BURSTS, 300, 500, (2,)), seconds)
    assert robust_sd(differences) < 0.03
    assert float(differences.std()) == pytest.approx(measured, rel=0.25)


def test_a_phone_gets_slower_by_sixty_percent_within_three_minutes() -> None:
    path = draw(Noise("heat", process=0.0, heat=True), 50, 500, (3,)).path
    assert float(np.exp(path).max()) == pytest.approx(1.6, abs=0.01)
    assert float(np.exp(path).min()) == pytest.approx(1.0, abs=0.01)
    rising = np.diff(path, axis=1) > 0
    assert float(rising.mean()) == pytest.approx(0.6, abs=0.03)


def test_the_same_seed_draws_the_same_noise() -> None:
    for noise in NOISES:
        first, again, other = (draw(noise, 2, 20, (seed,)) for seed in (4, 4, 5))
        assert np.array_equal(first.path, again.path) and np.array_equal(first.process, again.process)
        assert not np.array_equal(first.process, other.process)


def test_the_bootstrap_before_was_a_range_of_ordered_values() -> None:
    assert [bootstrap_place(count) for count in (5, 7, 9, 13)] == [0, 1, 1, 3]


@pytest.mark.parametrize(("rounds", "false"), [(5, 0.0625), (7, 0.125)])
def test_equal_variants_were_called_different_too_often_by_the_rules_before(rounds: int, false: float) -> None:
    found = latencies(draw(CALM, 4000, 2 * rounds, (5,)), 2, rounds, (6,))
    claims = called(np.moveaxis(found[:, :, :1] - found[:, :, 1:], 1, -1))
    assert float(np.abs(claims).mean()) == pytest.approx(false, abs=0.012)


def test_heat_between_a_reference_and_a_variant_is_noise_where_one_reference_stands_in_a_round() -> None:
    found = latencies(draw(PHONE, 300, 190, (7,)), 38, 5, (8,))
    assert robust_sd(found[:, :, 0] - found[:, :, 1]) > 3 * robust_sd(draw(PHONE, 300, 190, (7,)).process)
