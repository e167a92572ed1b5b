"""How sure a recommendation is, what the next best would buy, and the winner of every setting."""

from hypothesis import given

from common.schema.judgement import Obstacle, Setting, Speed
from jobs.choose import settings
from jobs.choose.confidence import NOISY_FLOOR, confidence, runner_up
from jobs.choose.recommend import Case, recommend
from tests.unit.choose.factories import candidate, case, cases

BASELINE = candidate("baseline", 8000)
PHONE = Setting(target="phone", backend="gpu", threads=1)


def word(chosen: Case) -> str:
    found = confidence(chosen, recommend(chosen))
    assert found is not None
    return found.word


def with_speeds(chosen: Case, change: dict[str, object]) -> Case:
    """The same case with all compared speeds changed."""
    speeds = tuple(s.model_copy(update=change) for s in chosen.judgement.speeds)
    judgement = chosen.judgement.model_copy(update={"speeds": speeds})
    return Case(chosen.candidates, chosen.reference, chosen.rules, judgement)


def elsewhere(chosen: Case, ratios: dict[str, float | None]) -> Case:
    """The case with a second setting, in which variants have these ratios; None: it cannot run there."""
    own = {speed.variant: speed for speed in chosen.judgement.speeds}
    more = tuple(_elsewhere(own[name], value) for name, value in ratios.items())
    judgement = chosen.judgement.model_copy(update={"speeds": (*chosen.judgement.speeds, *more)})
    return Case(chosen.candidates, chosen.reference, chosen.rules, judgement)


def _elsewhere(speed: Speed, value: float | None) -> Speed:
    if value is None:
        gone = {"verdict": "not compared", "ratio": None, "obstacle": Obstacle(cause="unsupported", text="no such")}
        return speed.model_copy(update={"setting": PHONE, **gone})
    if speed.verdict == "reference":
        return speed.model_copy(update={"setting": PHONE})
    assert speed.ratio is not None
    ratio = speed.ratio.model_copy(update={"value": value, "low": value * 0.99, "high": value * 1.01})
    return speed.model_copy(update={"setting": PHONE, "ratio": ratio, "verdict": "faster" if value > 1 else "slower"})


def test_a_gain_beyond_the_intervals_is_clear() -> None:
    found = confidence(given_case := case(BASELINE, candidate("good", 2000, 2.0)), recommend(given_case))
    assert found is not None and found.word == "clear"
    assert found.reason == "it is shown to keep the accuracy, and its size times latency is the least, beyond chance"


def test_what_is_not_told_from_it_is_named() -> None:
    given_case = case(BASELINE, candidate("good", 2000, 2.0), candidate("alike", 2000, 1.999, lost=1))
    found = confidence(given_case, recommend(given_case))
    assert found is not None and found.word == "tentative"
    assert found.reason == "its size times latency is not told from that of alike"


def test_a_reference_that_stays_for_want_of_images_is_tentative() -> None:
    unsure = case(BASELINE, candidate("unlucky", 1500, 2.5, lost=130, won=110), margin=0.01)
    assert word(unsure) == "tentative"
    assert word(case(BASELINE, candidate("bad", 1500, 2.5, lost=400))) == "clear"


def test_without_latencies_it_is_tentative() -> None:
    assert word(case(candidate("baseline", 10), candidate("small", 5, lost=1), functional_only=True)) == "tentative"


def test_a_noisy_machine_is_said_first() -> None:
    given_case = case(BASELINE, candidate("good", 2000, 2.0))
    noisy = with_speeds(given_case, {"floor": NOISY_FLOOR, "floor_assumed": False})
    found = confidence(noisy, recommend(noisy))
    assert found is not None and (found.word, found.reason) == (
        "noisy",
        "a file differs from itself by up to 10 % here",
    )
    assert word(with_speeds(given_case, {"floor": NOISY_FLOOR, "floor_assumed": True})) == "clear"
    assert word(with_speeds(given_case, {"from_cpu": True})) == "noisy"


def test_the_runner_up_and_what_it_would_buy() -> None:
    entries = (
        candidate("baseline", 8_000_000),
        candidate("good", 1_000_000, 2.0, lost=10, won=7),
        candidate("exact", 3_500_000, 1.0),
    )
    given_case = case(*entries)
    found = runner_up(given_case, recommend(given_case))
    assert found is not None and found.name == "exact"
    assert found.buys == "2.5 MB more, 2 times as slow, 3 more right answers"
    alone = case(BASELINE)
    assert runner_up(alone, recommend(alone)) is None


def test_every_setting_has_its_own_winner_and_all_have_one_file() -> None:
    given_case = elsewhere(
        case(BASELINE, candidate("good", 2000, 2.0), candidate("gpu", 2500, 1.8), candidate("bad", 10, 9.0, lost=900)),
        {"baseline": 1.0, "good": 0.1, "gpu": 4.0, "bad": 90.0},
    )
    chosen = recommend(given_case)
    here, there = settings.winners(given_case, chosen)
    assert (here.best, there.best, there.setting) == ("good", "gpu", PHONE)
    assert there.reason == "the least size times latency here, faster than baseline"
    over = settings.overall(given_case, chosen)
    assert over is not None and over.best == "gpu"
    assert over.rule.startswith("the least size times latency, by the geometric mean over all 2 settings")


def test_a_setting_that_compares_nothing_has_no_winner_and_a_variant_that_fails_there_is_not_best_over_all() -> None:
    given_case = case(BASELINE, candidate("good", 2000, 2.0))
    partly = elsewhere(given_case, {"baseline": 1.0, "good": None})
    assert settings.winners(partly, recommend(partly))[1].best is None
    assert settings.overall(partly, recommend(partly)) is None
    other = elsewhere(case(BASELINE, candidate("a", 2000, 2.0), candidate("b", 5000, 1.5)), {"a": None, "b": 1.5})
    over = settings.overall(other, recommend(other))
    assert over is not None and over.best == "b"


@given(cases())
def test_only_what_may_be_shipped_wins(any_case: Case) -> None:
    chosen = recommend(any_case)
    eligible = {standing.candidate.name for standing in chosen.standings if standing.eligible}
    assert all(winner.best is None or winner.best in eligible for winner in settings.winners(any_case, chosen))
    second = runner_up(any_case, chosen)
    assert second is None or (second.name in eligible and second.name != chosen.best and second.buys)
    assert (confidence(any_case, chosen) is None) == (chosen.best is None)
