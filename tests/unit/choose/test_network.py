"""Whether the network or the quantiser mattered more is said only where the figures show it."""

# The report's typography.
# ruff: noqa: RUF001
import pytest

from common.schema.choice import Candidate
from jobs.choose.network import compare
from jobs.choose.recommend import recommend
from tests.unit.choose.factories import candidate, case

BASELINE = candidate("baseline", 8000)
INT8 = candidate("int8", 2000, 1.5)


def student(name: str = "student", size: int = 500, speed: float = 4.0, **kwargs: bool | int) -> Candidate:
    return candidate(name, size, speed, other_network=True, **kwargs)  # type: ignore[arg-type]


def said(*others: Candidate) -> str | None:
    given = case(BASELINE, INT8, *others)
    return compare(given, recommend(given))


def test_nothing_is_said_without_another_network() -> None:
    assert said() is None


def test_nothing_is_said_where_no_latency_can_be_ranked() -> None:
    given = case(BASELINE, INT8, student(), setting=None)
    assert compare(given, recommend(given)) is None


def test_the_network_mattered_more() -> None:
    sentence = said(student(quantised=False))
    assert sentence == (
        "The network mattered more than the quantiser: student (another network) has 6.25 % of baseline's size, "
        "4.00× (3.92–4.08) as fast as baseline, accuracy 90 % (86.08–92.91), p = 1.00; the best of the trained "
        "network, int8, 25 % of baseline's size, 1.50× (1.47–1.53) as fast as baseline, accuracy 90 % (86.08–92.91), "
        "p = 1.00. It is not quantised itself."
    )


def test_a_quantised_student_shares_its_gain() -> None:
    assert str(said(student())).endswith("student is quantised too, so a part of its gain is the quantiser's.")
    both = said(student(), student("plain_student", 900, 3.0, quantised=False))
    assert str(both).endswith("Without any quantisation plain student beats them all as well.")


def test_the_quantiser_mattered_more() -> None:
    sentence = str(said(student(size=3000, speed=1.2)))
    assert sentence.startswith("The quantiser mattered more than the network: int8 (the trained network) has 25 %")


@pytest.mark.parametrize(
    "other",
    [
        student(size=3000, speed=4.0),
        # Faster, but the intervals overlap.
        student(size=500, speed=1.52),
        student(intervals=False),
    ],
    ids=["larger", "hardly faster", "no interval"],
)
def test_neither_mattered_more_in_both(other: Candidate) -> None:
    assert str(said(other)).startswith("Neither the network nor the quantiser gained more in both size and speed")


def test_a_network_that_loses_accuracy_does_not_count() -> None:
    assert str(said(student(lost=60))).startswith("No variant of another network was measured and keeps the accuracy")
