"""The whole protocol on a simulated target: a small form of `python -m tests.benchmarks.simulated`."""

import numpy as np
import pytest

from common.schema.experiment import Backend
from common.schema.experiment import Benchmark as Settings
from tests.benchmarks.simulated.noises import BURSTS, CALM, LOADED, NOISES, PHONE, Noise
from tests.benchmarks.simulated.sessions import Scene, Session, simulate
from tests.benchmarks.simulated.tables import found, of, percent

BOTH: tuple[Backend, ...] = ("cpu", "xnnpack")
SEED = 11


def ended(scene: Scene, sessions: int) -> list[Session]:
    return [session[0] for session in simulate(scene, sessions, SEED)]


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
def test_intervals_of_every_number_of_rounds_hold_the_truth(noise: Noise) -> None:
    rounds = (3, 5, 6, 7, 10)
    sessions = simulate(Scene(noise, (1.0, 1.0, 1.1), rounds=10, most_rounds=10), 50, SEED, at=rounds)
    for place in range(len(rounds)):
        told = of(session[place] for session in sessions)
        # 95 % of 150, less three standard deviations of those of one session together.
        assert percent(one.covers for one in told) > 88
        assert percent(one.differs for one in told if one.gain == 1) <= 4


@pytest.mark.parametrize("noise", [CALM, PHONE, BURSTS], ids=lambda noise: noise.name)
def test_none_of_36_equal_variants_is_called_different(noise: Noise) -> None:
    sessions = ended(Scene(noise, (1.0,) * 18, BOTH), 10)
    assert sum(any(told.differs for told in session.told) for session in sessions) <= 1
    assert not any(session.too_busy for session in sessions if noise is not BURSTS)


def test_a_tenth_is_found_on_a_phone_that_heats() -> None:
    sessions = ended(Scene(PHONE, (1.0,) * 10 + (1.1, 1 / 1.1) * 4, BOTH), 10)
    assert found(of(sessions, 1.1)) >= 85
    assert not [told for told in of(sessions, 1.1) if told.word == "as fast"]


def test_a_loaded_machine_is_too_busy_to_claim_anything() -> None:
    sessions = ended(Scene(LOADED, (1.0,) * 6, BOTH), 10)
    assert percent(session.too_busy for session in sessions) >= 80
    assert {told.word for told in of(sessions)} <= {"not compared", "not resolved"}
    assert max(session.rounds for session in sessions if session.too_busy) < Settings().most_rounds


def test_rounds_are_added_where_intervals_are_wide() -> None:
    calm, bursts = (ended(Scene(noise, (1.0,) * 6, BOTH), 10) for noise in (CALM, BURSTS))
    assert np.mean([s.rounds for s in calm]) < np.mean([s.rounds for s in bursts])
    fewest, most = Settings().rounds, Settings().most_rounds
    assert all(fewest <= session.rounds <= most for session in calm + bursts)


def test_what_is_measured_again_never_depends_on_a_variant_itself() -> None:
    """Another true ratio moves the interval and nothing else: neither redone segments nor added rounds."""
    equal, faster = (ended(Scene(PHONE, (1.0, gain), BOTH), 10) for gain in (1.0, 1.5))
    for one, other in zip(equal, faster, strict=True):
        assert (one.rounds, one.processes) == (other.rounds, other.processes)
        for plain, gained in zip(one.told, other.told, strict=True):
            assert gained.low == pytest.approx(plain.low * gained.gain)
            assert gained.high == pytest.approx(plain.high * gained.gain)
