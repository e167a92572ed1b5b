"""How figures are written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import numbers
from common.numbers import DASH, TIMES
from common.printable import clean
from common.schema.base import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6719.84, "6719.84"),
        (9382.0, "9382"),
        (8.500692, "8.5"),
        (2.139824, "2.14"),
        (100.0, "100"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.0842, "0.084"),
        (0.1, "0.1"),
        (1e-9, "1.0e-09"),
    ],
)
def test_decimal(value: float, text: str) -> None:
    assert numbers.decimal(value) == text


@given(st.floats(min_value=0.1, max_value=1e7))
def test_decimal_is_within_half_a_hundredth(value: float) -> None:
    text = numbers.decimal(value)
    assert abs(float(text) - value) <= 0.005 + 1e-9 * value
    assert not text.endswith((".", ".0")) and "," not in text


@pytest.mark.parametrize(
    ("p", "text"), [(1.0, "p = 1.00"), (0.42, "p = 0.42"), (0.034, "p = 0.034"), (0.0002, "p < 0.001")]
)
def test_p_value(p: float, text: str) -> None:
    assert numbers.p_value(p) == text


@pytest.mark.parametrize(
    ("words", "text"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_listed(words: tuple[str, ...], text: str) -> None:
    assert numbers.listed(words) == text


@given(st.text())
def test_clean_text_is_one_line_without_hidden_characters(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.splitlines()) <= 1
    assert "\u202e" not in cleaned and "\x1b" not in cleaned


def written(text: str) -> str:
    """With x and | as they are typed, the sign of multiplication and the dash of an interval."""
    return text.replace("x", TIMES).replace("|", DASH)


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (22.57, 13.2, 47.4, "22.6x (13|47)"),
        (1.335, 1.3051, 1.378, "1.33x (1.31|1.38)"),
        (5.31, 3.2, 9.1, "5.3x (3|9)"),
        (123.4, 80.0, 190.0, "123x (80|190)"),
        # A positive end is never shown as 0.
        (0.9, 0.12, 6.0, "0.9x (0.1|6.0)"),
        (13.02, 11.9, 13.7, "13.0x (11.9|13.7)"),
        (43.86, 43.85, 43.87, "43.86x (43.85|43.87)"),
        # The ends are not rounded to the other side of the estimate.
        (1.26, 1.255, 1.7, "1.26x (1.25|1.70)"),
        (1.0, 1.0, 1.0, "1.00x (1.00|1.00)"),
        (0.0123, 0.01, 0.02, "0.012x (0.01|0.02)"),
        (1e308, -1e308, 1e308, "1.00e+308x (-1.00e+308|1.00e+308)"),
    ],
)
def test_a_ratio_has_the_digits_that_its_interval_allows(value: float, low: float, high: float, text: str) -> None:
    assert numbers.speedup(Interval(value=value, low=low, high=high)) == written(text)


@given(st.floats(0.2, 1e6), st.floats(0, 5), st.floats(0, 5))
def test_a_ratio_lies_in_the_interval_beside_it(value: float, below: float, above: float) -> None:
    text = numbers.speedup(Interval(value=value, low=value / (1 + below), high=value * (1 + above)))
    estimate, low, high = (float(part) for part in re.split(rf"{TIMES} \(|{DASH}|\)", text)[:3])
    assert low - 0.5 <= estimate <= high + 0.5
    assert abs(estimate - value) <= 0.5


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0.0, "0.00 µs"),
        (0.25, "0.25 µs"),
        (84.21, "84.2 µs"),
        (812.5, "812 µs"),
        (999.7, "1.00 ms"),
        (6719.84, "6.72 ms"),
        (67198.4, "67.2 ms"),
        (1.5e6, "1.50 s"),
        (1e308, "1.00e+302 s"),
    ],
)
def test_a_time_is_written_by_its_magnitude(us: float, text: str) -> None:
    assert numbers.duration(us) == text


def test_times_that_are_read_together_have_one_unit_and_the_same_decimals() -> None:
    unit = numbers.time_unit((25040.0, 1210.0, 250400.0))
    assert unit.name == "ms"
    assert [unit.write(us) for us in (25040.0, 1210.0, 250400.0)] == ["25.04", "1.21", "250.40"]
    assert unit.interval(1210.0, 1150.0, 1290.0, unit=True) == written("1.21 ms (1.15|1.29)")
