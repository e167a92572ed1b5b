"""Claims about accuracy against published values, definitions and the errors that they promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.run.keeping import (
    PairedTest,
    Pairs,
    all_kept,
    hochberg_levels,
    holm,
    images_needed,
    judged,
    loss_p_value,
    tango_lower,
    whole,
)
from tests.benchmarks.accuracy_claims import (
    ALPHA,
    MARGIN,
    ONLY_VARIANT,
    SCENARIOS,
    corrected,
    each,
    earlier,
    passes,
    picked,
    tango,
)
from tests.unit.choose.factories import exact_p

counts = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 500)).map(
    lambda c: Pairs(c[0], c[1], c[0] + c[1] + c[2] + 1)
)
p_values = st.lists(st.floats(0, 1), max_size=8)


def test_the_bound_is_the_published_one() -> None:
    # Tango 1998, table of 44 pairs: the 90 % interval begins at -0.096.
    assert tango_lower(Pairs(1, 0, 44), 0.05) == pytest.approx(-0.0957, abs=5e-5)


@given(counts, st.floats(0.001, 0.2), st.floats(0.001, 0.3))
def test_the_bound_and_the_p_value_say_the_same(pairs: Pairs, margin: float, alpha: float) -> None:
    bound, p = tango_lower(pairs, alpha), loss_p_value(pairs, margin)
    assert -1 <= bound <= pairs.difference
    if abs(bound + margin) > 1e-9:
        assert (bound > -margin) == (p < alpha)


@given(p_values)
def test_holm_as_it_is_defined(given_values: list[float]) -> None:
    adjusted = holm(given_values)
    order = sorted(given_values)
    stop = next((k for k, p in enumerate(order) if (len(order) - k) * p >= ALPHA), len(order))
    assert sorted(p for p, c in zip(given_values, adjusted, strict=True) if c < ALPHA) == order[:stop]


@given(p_values)
def test_hochberg_as_it_is_defined(given_values: list[float]) -> None:
    levels = hochberg_levels(given_values, ALPHA)
    order = sorted(given_values)
    last = max((k + 1 for k, p in enumerate(order) if p < ALPHA / (len(order) - k)), default=0)
    assert sorted(p for p, level in zip(given_values, levels, strict=True) if p < level) == order[:last]


@pytest.mark.parametrize("images", [300, 462])
@pytest.mark.parametrize("share", ONLY_VARIANT)
def test_what_truly_loses_the_margin_is_shown_to_keep_in_at_most_five_per_cent(images: int, share: float) -> None:
    assert passes(tango, images, share, MARGIN) <= 0.05
    assert passes(earlier, images, share, MARGIN) > 0.3


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_fastest_that_passes_loses_the_margin_in_at_most_seven_per_cent(scenario: str) -> None:
    bad, _ = picked(300, 0.005, SCENARIOS[scenario], 1500, 3, corrected)
    assert bad <= 0.07
    assert picked(300, 0.005, SCENARIOS[scenario], 300, 3, each(earlier))[0] > 0.07


@pytest.mark.parametrize(("decided", "margin", "formula"), [(0.03, 0.02, 464), (0.06, 0.02, 927), (0.045, 0.03, 309)])
def test_the_images_that_are_needed_are_near_the_normal_formula(decided: float, margin: float, formula: int) -> None:
    pairs = Pairs(decided * 500, decided * 500, 1000)
    assert images_needed(pairs, margin, 0.05) == pytest.approx(formula, rel=0.15)


def test_no_number_of_images_shows_a_margin_of_nothing() -> None:
    assert images_needed(Pairs(1, 1, 100), 0.0, 0.05) is None


def _judged(*pairs: tuple[int, int], images: int = 1000, alpha: float = 0.05) -> list[str]:
    tests = [PairedTest(Pairs(lost, won, images), exact_p(lost, won)) for lost, won in pairs]
    return [kept.verdict for kept in judged(tests, 0.02, alpha)]


def test_three_words() -> None:
    assert _judged((2, 1), (60, 2), (20, 8)) == ["shown to keep", "shown to lose", "not shown"]


def test_a_certain_loss_within_the_margin_is_kept() -> None:
    assert _judged((60, 30), images=10_000) == ["shown to keep"]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6), st.sampled_from((0.01, 0.05, 0.1)))
def test_a_bound_beyond_the_margin_and_the_word_never_contradict(pairs: list[tuple[int, int]], alpha: float) -> None:
    tests = [PairedTest(Pairs(lost, won, 400), exact_p(lost, won)) for lost, won in pairs]
    for kept in judged(tests, 0.02, alpha):
        assert kept.lower is not None
        assert (kept.verdict == "shown to keep") == (kept.lower > -0.02)


def test_one_lost_share_loses_and_one_unknown_leaves_it_open() -> None:
    assert all_kept(["shown to keep", "shown to lose", "not shown"]) == "shown to lose"
    assert all_kept(["shown to keep", "not shown"]) == "not shown"
    assert all_kept(["shown to keep"]) == "shown to keep"


@pytest.mark.parametrize(("images", "shown"), [(7, 7), (464, 470), (927, 930), (12_001, 13_000)])
def test_numbers_of_images_are_rounded_up(images: int, shown: int) -> None:
    assert whole(images) == shown
