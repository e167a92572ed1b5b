"""What is stated beside what follows: every difference has its place and both values."""

import json

import pytest

from common.findings import MOST, differences, figures, tell_findings
from common.schema.base import Interval, Model
from common.schema.benchmark import Cell
from common.schema.evidence import Finding, Followed


class Box(Model):
    """A model with all kinds of parts."""

    cells: tuple[Cell, ...] = ()
    interval: Interval | None = None
    counts: dict[str, int] = {}  # noqa: RUF012
    text: str = ""


CELL = Cell(variant="a", model_sha256="0" * 64, backend="cpu", threads=1)
INTERVAL = Interval(value=1.5, low=1.0, high=2.0)


def texts(stated: object, derived: object, **more: float) -> list[str]:
    return [found.text for found in differences("x: ", stated, derived, **more)]


def test_equals_are_none_of_them() -> None:
    assert texts(Box(cells=(CELL,)), Box(cells=(CELL,))) == []


def test_the_place_of_a_difference_is_named() -> None:
    other = CELL.model_copy(update={"threads": 4})
    assert texts(Box(cells=(CELL, CELL)), Box(cells=(CELL, other))) == [
        "x: .cells[1 a cpu 1].threads is 1, but 4 follows"
    ]
    assert texts(Box(interval=INTERVAL), Box()) == [
        'x: .interval is {"value":1.5,"low":1.0,"high":2.0,"confidence":0.95}, but nothing follows'
    ]
    assert texts(Box(counts={"a": 1}), Box(counts={"b": 2})) == [
        "x: .counts.a is 1, but nothing follows",
        "x: .counts.b is nothing, but 2 follows",
    ]
    assert texts(Box(cells=(CELL,)), Box()) == ["the length of x: .cells is 1, but 0 follows"]
    assert texts(Box(text="a" * 100), Box()) == [f"x: .text is {'a' * 59}…, but empty follows"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.0 + 1e-13, True),
        (1.0, 1.0 + 1e-11, False),
        (0.0, 1e-16, True),
        (1e-9, 2e-9, False),
        (6.6e-5, 6.61e-5, False),
        (1, 2, False),
        (1.0, None, False),
        (True, False, False),
    ],
)
def test_logarithms_may_differ_in_their_last_digits_and_nothing_else(one: object, other: object, same: bool) -> None:
    assert (texts(one, other) == []) == same


def test_what_is_copied_may_not_differ_at_all() -> None:
    assert texts(1.0, 1.0 + 1e-13, close=0)


def test_numbers_are_counted() -> None:
    assert figures(Box(cells=(CELL,), interval=INTERVAL, counts={"a": 1})) == 1 + 4 + 1
    assert figures([True, "1", None, 1, 2.0]) == 2


def test_a_check_says_that_it_came_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    found = [Finding(where=str(number), stated="1", derived="2") for number in range(2 * MOST)]
    tell_findings(found, Followed(what="all", figures=3))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == MOST + 1
    assert json.loads(lines[-1]) == {"kind": "followed", "what": "all", "figures": 3, "notes": []}
