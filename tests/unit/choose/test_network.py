"""Whether the network or the quantiser mattered more is said only where the figures show it."""

# The report's typography.
# ruff: noqa: RUF001
import pytest

from jobs.choose.network import compare
from jobs.choose.recommend import recommend
from tests.unit.choose.factories import Entry, candidate, case

BASELINE = candidate("baseline", 8000)
INT8 = candidate("int8", 2000, 1.5)


def student(name: str = "student", size: int = 500, speed: float = 4.0, **kwargs: bool | int) -> Entry:
    return candidate(name, size, speed, other_network=True, **kwargs)  # type: ignore[arg-type]


def said(*others: Entry) -> str | None:
    given = case(BASELINE, INT8, *others)
    return compare(given, recommend(given))


def test_nothing_is_said_without_another_network() -> None:
    assert said() is None


def test_nothing_is_said_where_no_latency_can_be_ranked() -> None:
    given = case(BASELINE, INT8, student(), functional_only=True)
    assert compare(given, recommend(given)) is None


def test_the_network_mattered_more() -> None:
    sentence = said(student(quantised=False))
    assert sentence == (
        "The network mattered more than the quantiser: student (another network) has 6.25 % of baseline's size, "
        "4.01× (3.95–4.06) as fast as baseline, accuracy 90 % (88.87–91.02), shown to keep; the best of the "
        "trained network, int8, 25 % of baseline's size, 1.50× (1.48–1.52) as fast as baseline, accuracy 90 % "
        "(88.87–91.02), shown to keep. It is not quantised itself."
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
        # Faster, but not beyond what a file differs from itself.
        student(size=500, speed=1.52),
    ],
    ids=["larger", "hardly faster"],
)
def test_neither_mattered_more_in_both(other: Entry) -> None:
    assert str(said(other)).startswith("Neither the network nor the quantiser gained more in both size and speed")


def test_a_network_that_loses_accuracy_does_not_count() -> None:
    assert str(said(student(lost=600))).startswith("No variant of another network was measured and keeps the accuracy")
