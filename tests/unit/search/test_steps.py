"""Decisions between the steps of a search: rewrites by layer, time, and where every way ended."""

from pathlib import Path

import pytest

from common.schema.search_result import Screened
from jobs.search.budget import Budget
from jobs.search.fates import Ways, outcomes
from jobs.search.rewrites import Cost, decided, mixed
from tests.unit.search.test_judge import candidate, validation


def test_a_layer_is_rewritten_where_the_target_is_faster_with_it() -> None:
    times = {"folded": 0.9, "merged": 0.5, "merged_0": 0.6, "merged_1": 0.95, "folded_but_0": 0.8, "folded_but_1": 0.93}
    found = decided("int8", times, ("first", "second", "third"), ("one", "two", "three"))
    assert found.merged == ("first", "third")  # the third was not measured alone: the whole decides
    assert found.not_merged == ("second",)
    assert found.folded == ("two", "three") and found.not_folded == ("one",)


@pytest.mark.parametrize(
    "times", [{}, {"folded": 1.0}, {"folded": 1.0, "merged": 1.2}, {"folded": 1.0, "merged_0": 0.995}]
)
def test_without_a_gain_nothing_is_merged_and_all_is_folded(times: dict[str, float]) -> None:
    found = decided("float32", times, ("first",), ("one",))
    assert found.merged == () and found.folded == ("one",)


WHOLE = Cost(0.5, 0.04)


@pytest.mark.parametrize(
    ("time", "loss", "left"),
    [
        (0.4, 0.04, True),  # faster
        (0.4, 0.08, True),  # and what it loses is for the candidate's own measurement to tell
        (0.499, 0.04, False),  # no more than noise
        (0.5, 0.02, True),  # more accurate at no cost
        (0.501, 0.02, False),
        (0.6, 0.0, False),
    ],
)
def test_a_group_is_left_in_float_where_that_is_better(time: float, loss: float, *, left: bool) -> None:
    groups = (("a", "b"), ("c",))
    found = mixed("static_wi8_ai8", "plain_static_wi8_ai8", WHOLE, groups, {1: Cost(time, loss)})
    # The first was not measured.
    assert found.in_float == ((("c",),) if left else ())
    assert found.not_in_float == ((("a", "b"),) if left else groups)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def one_step(folder: Path, reached: str, took_s: float, left_out: int) -> tuple[Clock, Budget]:
    """A search of 100 seconds that has taken its step "one"."""
    clock = Clock()
    budget = Budget(folder, 100.0, clock)
    budget.begin("one", reached, None, 0.5)
    clock.now = took_s
    budget.end("one", "first", reached, left_out)
    return clock, budget


def test_a_step_reaches_as_many_candidates_as_its_share_of_the_time_allows(tmp_path: Path) -> None:
    clock = Clock()
    budget = Budget(tmp_path, 100.0, clock)
    assert budget.begin("one", "abcd", budget.each_s(["one"]), 0.5) == 4
    clock.now = 20
    budget.end("one", "first", "abcd", 0)
    assert budget.each_s(["one"]) == 5
    assert budget.begin("two", "efghijklmn", 5.0, 0.5) == 6
    clock.now = 60
    budget.end("two", "second", "efghij", 4)
    assert budget.spent_s == 60 and budget.left(0.5) == 0
    assert budget.begin("three", "op", 5.0, 0.5) == 1


def test_a_search_that_is_given_more_time_reaches_more(tmp_path: Path) -> None:
    clock, first = one_step(tmp_path, "ab", 40, 4)
    first.skip("two", "second", 3)
    assert first.told == "40 s of 1 min 40 s"
    assert Budget(tmp_path, 100.0, clock).begin("one", "abcdef", 20.0, 0.5) == 2
    assert Budget(tmp_path, 80.0, clock).begin("one", "abcdef", 20.0, 0.5) == 2
    # One more is wanted than there was before.
    assert Budget(tmp_path, 100.0, clock).begin("one", "abcdefg", 20.0, 0.9) == 4
    # Two took 40 of the 100 seconds that there are now: three more fit in.
    assert Budget(tmp_path, 200.0, clock).begin("one", "abcdef", 20.0, 0.5) == 5
    again = Budget(tmp_path, 200.0, clock)
    again.begin("one", "abcdef", 20.0, 0.5)
    clock.now = 100
    again.end("one", "first", "abcde", 1)
    assert again.begin("two", "xyz", 20.0, 0.9) == 3
    assert [step.budget_s for step in again.steps] == [200.0]


def test_a_search_that_goes_on_reaches_what_it_reached_before(tmp_path: Path) -> None:
    clock, _ = one_step(tmp_path, "abc", 30, 1)
    # Killed. What is up to date takes no time any more, and counts all the same.
    again = Budget(tmp_path, 100.0, clock)
    assert again.begin("one", "abcd", None, 0.5) == 3
    clock.now = 31
    again.end("one", "first", "abc", 1)
    assert again.spent_s == 30
    # With other candidates it is another step.
    other = Budget(tmp_path, 100.0, clock)
    assert other.begin("one", "xyz", None, 0.5) == 3
    other.end("one", "first", "xyz", 0)
    assert other.spent_s == 0


def test_a_file_of_steps_that_is_damaged_is_none(tmp_path: Path) -> None:
    (tmp_path / "steps.json").write_text("[{", encoding="utf-8")
    assert Budget(tmp_path, 100.0).begin("one", "ab", None, 1.0) == 2


def test_every_way_ends_somewhere() -> None:
    from common.schema.search_result import Rung

    rung = Rung(epochs=1, validation=validation(0))
    every = ("broken", "best", "unseen", "slow", "halved", "worse", "lost", "plain")
    kinds = {"plain": "rewrite"}
    seen = Screened(time=0.5, size_bytes=1, validation=validation(0))
    ways = Ways(
        screened={name: seen for name in every if name not in ("broken", "unseen")},
        problems={"broken": "no room"},
        rungs={"best": (rung,) * 3, "halved": (rung,), "worse": (rung,) * 3, "lost": (rung,) * 3},
        kept=frozenset({"best", "worse"}),
        finalists=("best",),
        confirmed={},
        longest=3,
    )
    found = outcomes([candidate(name, kind=kinds.get(name, "drawn")) for name in every], ways)
    assert [one.fate for one in found] == [
        *("failed", "finalist", "not reached", "beaten before training", "beaten in training", "beaten by a finalist"),
        *("lost accuracy", "lost accuracy"),
    ]
    assert found[0].problem == "no room"
