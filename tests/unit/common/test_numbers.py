"""How figures are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import numbers
from common.printable import clean


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
