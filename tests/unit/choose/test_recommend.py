"""The front and the recommendation: what holds for any figures, and what each verdict means."""

# The report's typography.
# ruff: noqa: RUF001
import pytest
from hypothesis import given

from common.schema.choice import Standing
from jobs.choose import explain
from jobs.choose.front import Rank, front, ranked
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
    ranks = ranked(any_case.candidates, "baseline")
    best = front(ranks)
    assert best
    for rank in ranks:
        assert (rank in best) != any(no_worse_and_once_better(other, rank) for other in ranks)
    for rank in ranks:
        assert rank in best or any(no_worse_and_once_better(other, rank) for other in best)


@given(cases())
def test_what_is_recommended_keeps_the_accuracy(any_case: Case) -> None:
    chosen = recommend(any_case)
    for name in {chosen.best, chosen.smallest, chosen.fastest} - {None, "baseline"}:
        found = any_case.candidate(str(name))
        test = found.mcnemar
        assert test is not None
        assert test.p_value >= 0.05 or test.only_variant_right >= test.only_reference_right
        assert found.accuracy.successes >= any_case.own.accuracy.successes - any_case.rules.margin * 300 - 1e-6


@given(cases())
def test_smallest_and_fastest_are_so_among_the_eligible(any_case: Case) -> None:
    chosen = recommend(any_case)
    eligible = [standing.candidate for standing in chosen.standings if standing.eligible]
    if not eligible:
        assert chosen.best == chosen.smallest == "baseline"
        return
    assert any_case.candidate(chosen.smallest).size_bytes == min(c.size_bytes for c in eligible)
    if chosen.fastest is not None:
        latencies = [c.latency_us for c in eligible if c.latency_us is not None]
        assert any_case.candidate(chosen.fastest).latency_us == pytest.approx(min(latencies))


@given(cases())
def test_every_variant_has_a_place_and_a_reason(any_case: Case) -> None:
    chosen = recommend(any_case)
    assert [standing.candidate for standing in chosen.standings] == list(any_case.candidates)
    assert [s.candidate.name for s in chosen.standings if s.verdict == "best"] == [chosen.best]
    for standing in chosen.standings:
        assert standing.reason
        assert not (standing.on_front and standing.dominated_by)
        assert standing.on_front or standing.dominated_by or standing.candidate.latency_us is None
    sentences = explain.recommendation(any_case, chosen)
    assert sentences[0].startswith(f"Recommended: {chosen.best}")


def test_the_verdicts_and_their_figures() -> None:
    found = by_name(
        case(
            BASELINE,
            candidate("good", 2000, 2.0, lost=3),
            candidate("worse", 1000, 3.0, lost=30),
            candidate("unlucky", 1500, 2.5, lost=20, won=12),
            candidate("like_good", 2500, 1.5, lost=3),
            candidate("exact", 6000, 1.2),
            candidate("failed", 10, None),
        )
    )
    assert {name: (s.verdict, s.eligible, s.on_front) for name, s in found.items()} == {
        "baseline": ("dominated", True, False),
        "good": ("best", True, True),
        "worse": ("significantly worse", False, True),
        "unlucky": ("beyond the margin", False, True),
        "like_good": ("dominated", True, False),
        "exact": ("on the front", True, True),
        "failed": ("not measured", False, False),
    }
    assert found["worse"].reason == (
        "significantly less accurate than baseline: 80 % (75.11–84.13) against 90 % (86.08–92.91), p < 0.001"
    )
    assert found["unlucky"].reason == (
        "2.67 percentage points less accurate than baseline, more than the margin of 2 percentage points"
    )
    assert found["like_good"].dominated_by == "good"
    assert found["exact"].reason == "its size times latency is 5 times that of good"
    assert found["failed"].reason == "no latency on host · XNNPACK · 1 thread, so it is not ranked"
    assert found["good"].reason.startswith(
        "25 % of baseline's size, 2.00× (1.96–2.04) as fast as baseline, accuracy 89"
    )


def test_a_loss_of_just_the_margin_is_within_it() -> None:
    # 0.9 - 0.88 is above 0.02 in binary floating point.
    assert by_name(case(BASELINE, candidate("edge", 10, lost=22, won=16)))["edge"].verdict == "best"


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
    assert "at most 2 percentage points" in rule and "no proof" in rule


def test_without_latencies_size_and_accuracy_decide() -> None:
    given_case = case(candidate("baseline", 10, None), candidate("small", 5, None, lost=1), setting=None)
    chosen = recommend(given_case)
    assert (chosen.best, chosen.fastest) == ("small", None)
    assert all(standing.on_front for standing in chosen.standings)
    assert explain.recommendation(given_case, chosen)[-1].startswith("No latency could be ranked")


def test_ratios_and_bare_latencies_are_never_mixed() -> None:
    # The reference failed in the last session; one ratio is left from an earlier one.
    earlier, later = candidate("earlier", 5, 0.5), candidate("later", 5, 0.9, intervals=False)
    assert recommend(case(candidate("baseline", 5, None), earlier, later)).fastest == "later"


def test_a_reference_that_failed_remains_when_nothing_keeps_its_accuracy() -> None:
    given_case = case(candidate("baseline", 10, None), candidate("bad", 5, 2.0, lost=40, intervals=False))
    chosen = recommend(given_case)
    assert (chosen.best, chosen.fastest) == ("baseline", None)
    assert "no variant that was measured keeps its accuracy" in explain.recommendation(given_case, chosen)[0]


def test_without_intervals_the_sentence_says_so() -> None:
    given_case = case(BASELINE, candidate("quick", 4000, 2.0, intervals=False))
    assert "500 µs without an interval" in explain.recommendation(given_case, recommend(given_case))[0]


def test_speeds_that_hardly_differ_are_named() -> None:
    given_case = case(BASELINE, candidate("fast", 2000, 2.0), candidate("nearly", 2500, 1.99, lost=1))
    chosen = recommend(given_case)
    assert chosen.standings[2].reason == (
        "fast is no worse in size, speed and accuracy and better in at least one; "
        "their speeds, 1.990 and 2.000 times the reference's, hardly differ"
    )
    assert chosen.standings[0].reason.endswith("better in at least one")
    assert explain.recommendation(given_case, chosen)[1] == (
        "Not clearly slower than fast, since the intervals of their speeds overlap: nearly."
    )


def test_a_gain_that_may_be_chance_is_called_so() -> None:
    given_case = case(BASELINE, candidate("same", 4000, 1.01))
    assert "no clear difference" in explain.recommendation(given_case, recommend(given_case))[0]
