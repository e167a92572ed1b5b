"""The front and the recommendation: what holds for any figures, and what each verdict means."""

# The report's typography.
# ruff: noqa: RUF001
import pytest
from hypothesis import given

from common.schema.choice import Standing
from jobs.choose import explain
from jobs.choose.front import Rank, front
from jobs.choose.recommend import Case, recommend
from tests.unit.choose.factories import candidate, case, cases

BASELINE = candidate("baseline", 8000)


def by_name(chosen: Case) -> dict[str, Standing]:
    return {standing.candidate.name: standing for standing in recommend(chosen).standings}


def no_worse_and_once_better(one: Rank, other: Rank) -> bool:
    pairs = [(one.size_bytes, other.size_bytes), (one.time or 0, other.time or 0), (one.wrong, other.wrong)]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@given(cases())
def test_the_front_is_exactly_what_nothing_dominates(any_case: Case) -> None:
    ranks = any_case.ranks()
    best = front(ranks)
    assert best or not ranks
    for rank in ranks:
        assert (rank in best) != any(no_worse_and_once_better(other, rank) for other in ranks)
        assert rank in best or any(no_worse_and_once_better(other, rank) for other in best)


@given(cases())
def test_only_what_the_judge_lets_through_is_recommended(any_case: Case) -> None:
    chosen = recommend(any_case)
    for name in {chosen.best, chosen.smallest, chosen.fastest} - {None}:
        verdicts = any_case.judgement.of(str(name))
        assert verdicts.eligible
        assert verdicts.accuracy == ("reference" if name == "baseline" else "shown to keep")
    assert (chosen.best is None) == (not any(v.eligible for v in any_case.judgement.variants))


@given(cases())
def test_smallest_and_fastest_are_so_among_the_eligible(any_case: Case) -> None:
    chosen = recommend(any_case)
    eligible = [standing.candidate for standing in chosen.standings if standing.eligible]
    if chosen.smallest is not None:
        assert any_case.candidate(chosen.smallest).size_bytes == min(c.size_bytes for c in eligible)
    if chosen.fastest is not None:
        ratios = [1.0 if c.ratio is None else c.ratio.value for c in eligible]
        fastest = any_case.candidate(chosen.fastest)
        assert (1.0 if fastest.ratio is None else fastest.ratio.value) == max(ratios)


@given(cases())
def test_every_variant_has_a_place_and_a_reason(any_case: Case) -> None:
    chosen = recommend(any_case)
    assert [standing.candidate for standing in chosen.standings] == list(any_case.candidates)
    best = [s.candidate.name for s in chosen.standings if s.verdict == "best"]
    assert best == ([] if chosen.best is None else [chosen.best])
    for standing in chosen.standings:
        assert standing.reason
        assert not (standing.on_front and standing.dominated_by)
    first = explain.recommendation(any_case, chosen)[0]
    assert first.startswith("Nothing can be" if chosen.best is None else f"Recommended: {chosen.best}")


def test_the_verdicts_and_their_figures() -> None:
    found = by_name(
        case(
            BASELINE,
            candidate("good", 2000, 2.0, lost=10, won=7),
            candidate("worse", 1000, 3.0, lost=300),
            candidate("unlucky", 1500, 2.5, lost=160, won=130),
            candidate("like_good", 2500, 1.5, lost=10, won=7),
            candidate("exact", 6000, 1.2),
            candidate("failed", 10, None),
        )
    )
    assert {name: (s.verdict, s.eligible, s.on_front) for name, s in found.items()} == {
        "baseline": ("dominated", True, False),
        "good": ("best", True, True),
        "worse": ("shown to lose", False, True),
        "unlucky": ("not shown", False, True),
        "like_good": ("dominated", True, False),
        "exact": ("on the front", True, True),
        "failed": ("not measured", False, False),
    }
    assert found["worse"].reason == "shown to lose the accuracy"
    assert found["unlucky"].reason == "not shown to keep the accuracy"
    assert found["like_good"].dominated_by == "good"
    assert found["exact"].reason == "its size times latency is 5 times that of good"
    assert found["failed"].reason == "it cannot run"
    assert found["good"].reason.startswith("25 % of baseline's size, 2.00× (1.98–2.03) as fast as baseline, ")
    assert found["good"].reason.endswith(", shown to keep")


def test_three_answers_where_smallest_fastest_and_best_differ() -> None:
    given_case = case(
        BASELINE, candidate("small", 1000, 0.9), candidate("fast", 7000, 4.0), candidate("both", 1200, 3.0)
    )
    chosen = recommend(given_case)
    assert (chosen.smallest, chosen.fastest, chosen.best) == ("small", "fast", "both")
    first, smallest, fastest, rule = explain.recommendation(given_case, chosen)
    assert first.startswith("Recommended: both, the least size times latency of those that keep the accuracy: 15 % of")
    assert smallest.startswith("Smallest that keeps the accuracy: small: 12.5 % of baseline's size, 0.90×")
    assert fastest.startswith("Fastest that keeps the accuracy: fast: 87.5 %")
    assert "loses less than 2 percentage points" in rule and "Hochberg" in rule


def test_without_latencies_size_and_accuracy_decide() -> None:
    given_case = case(candidate("baseline", 10), candidate("small", 5, lost=1), functional_only=True)
    chosen = recommend(given_case)
    assert (chosen.best, chosen.fastest) == ("small", None)
    assert all(standing.on_front for standing in chosen.standings)
    assert explain.recommendation(given_case, chosen)[-1].startswith("No latency could be ranked")


def test_one_round_ranks_nothing() -> None:
    given_case = case(BASELINE, candidate("quick", 4000, 2.0, rounds=1))
    chosen = recommend(given_case)
    assert (chosen.best, chosen.fastest) == ("quick", None)
    assert "500 µs, not compared" in explain.recommendation(given_case, chosen)[0]
    tiny = case(BASELINE, candidate("tiny", 10, 400.0, rounds=1))
    assert "2.50 µs, not compared" in explain.recommendation(tiny, recommend(tiny))[0]


def test_what_is_not_compared_is_left_behind_where_others_are() -> None:
    found = by_name(case(BASELINE, candidate("once", 10, 9.0, rounds=1), candidate("twice", 4000, 2.0)))
    assert (found["once"].verdict, found["twice"].verdict) == ("not measured", "best")
    assert found["once"].reason == "fewer than 2 rounds beside the reference"


def test_a_reference_that_failed_leaves_nothing_to_recommend_where_nothing_else_keeps_its_accuracy() -> None:
    given_case = case(candidate("baseline", 10, None), candidate("bad", 5, 2.0, lost=400))
    chosen = recommend(given_case)
    assert (chosen.best, chosen.smallest, chosen.fastest) == (None, None, None)
    first = explain.recommendation(given_case, chosen)[0]
    assert first == "Nothing can be recommended: no variant is fit to ship, nor is baseline (it cannot run)."


def test_where_only_the_reference_is_fit_the_number_of_images_that_would_do_is_said() -> None:
    given_case = case(BASELINE, candidate("unlucky", 1500, 2.5, lost=130, won=110), margin=0.01)
    chosen = recommend(given_case)
    assert chosen.best == "baseline"
    first = explain.recommendation(given_case, chosen)[0]
    assert "because nothing else is shown to keep its accuracy" in first
    assert first.endswith("On these 3000 images nothing is shown to keep it; about 5000 would be needed.")


def test_speeds_that_cannot_be_told_apart_are_named() -> None:
    given_case = case(BASELINE, candidate("fast", 2000, 2.0), candidate("nearly", 2500, 1.99, lost=1))
    chosen = recommend(given_case)
    assert chosen.standings[2].reason == (
        "fast is no worse in size, speed and accuracy and better in at least one; their speeds cannot be told apart"
    )
    assert chosen.standings[0].reason.endswith("better in at least one")
    assert explain.recommendation(given_case, chosen)[1] == (
        "Speed, compared round by round, does not tell these from fast: nearly."
    )


def test_the_least_latency_is_not_called_the_fastest_where_it_may_be_chance() -> None:
    alike = case(BASELINE, candidate("good", 2000, 1.005, rounds=2))
    first = explain.recommendation(alike, recommend(alike))[0]
    assert first.startswith("Recommended: good, the smallest that keeps the accuracy: ")
    told = case(BASELINE, candidate("good", 2000, 2.0))
    assert "good, the smallest and the fastest that keeps" in explain.recommendation(told, recommend(told))[0]


@pytest.mark.parametrize(("rounds", "word"), [(5, "as fast"), (2, "not resolved")])
def test_a_gain_that_may_be_chance_is_called_so(rounds: int, word: str) -> None:
    given_case = case(BASELINE, candidate("same", 4000, 1.005, rounds=rounds))
    assert f"as fast as baseline ({word})" in explain.recommendation(given_case, recommend(given_case))[0]
