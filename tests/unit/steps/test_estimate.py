"""The place of a step, what is left of a run, and the words for both."""

import pytest

from common.numbers import elapsed
from jobs.steps.estimate import Left, Now, left
from jobs.steps.todo import Step
from jobs.steps.words import about, clipped, line, place

STEPS = (
    Step("dataset", "dataset/dataset.json"),
    Step("optimize", "variants/a/variant.json"),
    Step("optimize", "variants/b/variant.json"),
    Step("evaluate", "evaluation/a/evaluation.json"),
    Step("evaluate", "evaluation/b/evaluation.json"),
    Step("report", "report/results.json"),
)
A, FIRST, LAST = STEPS[1], STEPS[3], STEPS[5]


def known(seconds: float) -> tuple[Step, ...]:
    return tuple(Step(step.stage, step.artifact, seconds) for step in STEPS)


def test_the_place_counts_the_stages_of_this_run_and_its_variants() -> None:
    assert place(STEPS, A) == "[2/4] optimize 1/2 a"
    assert place(STEPS, LAST) == "[4/4] report"
    # One variant of a stage needs no number, and a step that nobody listed has none.
    assert place(STEPS[:2], A) == "[2/2] optimize a"
    assert place((), A) == "optimize a"


def test_what_the_last_run_took_is_what_is_left() -> None:
    steps = known(10)
    assert left(steps, {"dataset/dataset.json": 3}, Now(steps[1], for_s=4)) == Left(46)


def test_nothing_is_guessed_of_steps_that_nobody_has_seen() -> None:
    assert left(STEPS, {}, Now(STEPS[0], 5)) is None
    # What makes one variant says nothing of the next.
    assert left(STEPS, {A.artifact: 20}, Now(STEPS[2], 5)) is None
    # One that takes longer than it did takes nobody knows how long.
    steps = known(10)
    assert left(steps, {step.artifact: 10 for step in steps[:-1]}, Now(steps[-1], 11)) is None


def test_of_alike_steps_one_tells_the_others_and_the_rest_of_the_stage_is_said() -> None:
    assert left(STEPS, {FIRST.artifact: 8}, Now(STEPS[4], 3)) == Left(5, "evaluate")
    steps = (*STEPS[:5], Step("report", LAST.artifact, 4))
    assert left(steps, {step.artifact: 8 for step in steps[:4]}, Now(steps[4], 3)) == Left(9)


def test_a_share_of_the_work_tells_the_rest_of_it() -> None:
    assert left(STEPS, {}, Now(STEPS[0], 30, share=0.25)) == Left(90, "dataset")
    assert left(STEPS, {}, Now(STEPS[0], 30, share=0.01)) is None


def test_the_line() -> None:
    assert line("[3/7] optimize 4/7", 41.9, Left(171)) == "[3/7] optimize 4/7 · 41 s · about 3 min left"
    assert line("[1/2] train", 0.2, None) == "[1/2] train · 0 s"
    assert line("[1/2] train", 60, Left(33, "train")) == "[1/2] train · 1 min 00 s · about 35 s left of train"
    assert line("[2/2] report", 60, Left(1)) == "[2/2] report · 1 min 00 s"


@pytest.mark.parametrize(
    ("seconds", "exact", "rough"),
    [(0, "0 s", "0 s"), (59.4, "59 s", "1 min"), (89, "1 min 29 s", "1 min"), (3599, "59 min 59 s", "1 h 00 min"),
     (3840, "1 h 04 min", "1 h 00 min"), (9000, "2 h 30 min", "2 h 30 min")],
)  # fmt: skip
def test_times(seconds: float, exact: str, rough: str) -> None:
    assert elapsed(seconds) == exact
    assert about(seconds) == rough


def test_a_line_is_clipped_by_columns() -> None:
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"
    assert clipped("日本語", 4) == "日…"
