"""The steps that make lists, and what their artifacts say they took."""

import json
import os
from pathlib import Path

import pytest

from jobs.steps.todo import Span, Step, dump, durations, listed, load, remembered, span

MADE = "step dataset dataset/dataset.json\n.venv/bin/python -m jobs.dataset\nstep optimize variants/a/variant.json\n"
AT = "2026-01-02T03:04:{:02}+00:00"


def write(path: Path, started: int, finished: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"started_at": AT.format(started), "finished_at": AT.format(finished)}
    path.write_text(json.dumps({"provenance": told}), encoding="utf-8")


def plan(run: Path, artifact: str, when: int) -> None:
    path = run / "plan" / artifact
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}", encoding="utf-8")
    os.utime(path, (when, when))


def test_make_s_list_is_read_and_handed_on() -> None:
    steps = listed(MADE)
    assert steps == (Step("dataset", "dataset/dataset.json"), Step("optimize", "variants/a/variant.json"))
    assert steps[1].variant == "a" and steps[0].variant == ""
    known = (steps[0], Step("optimize", "variants/a/variant.json", 2.5))
    assert load(dump(known)) == known
    assert load("nothing of ours\na b c d\na b x\n") == ()


def test_times_count_from_the_end_of_the_step_before(tmp_path: Path) -> None:
    write(tmp_path / "dataset/dataset.json", 0, 10)
    write(tmp_path / "variants/a/variant.json", 14, 20)
    steps = listed(MADE)
    for step in steps:
        plan(tmp_path, step.artifact, 1)
    assert [step.before_s for step in remembered(tmp_path, steps)] == [10, 10]
    # Also where the step before is not to be done again.
    assert [step.before_s for step in remembered(tmp_path, steps[1:])] == [10]
    assert durations({"a": Span(100, 101)}, since=99) == {"a": 2}
    # A pause between two runs is no part of a step.
    assert durations({"a": Span(0, 1), "b": Span(1000, 1001)}) == {"a": 1, "b": 1}


def test_settings_that_changed_say_nothing_of_the_time(tmp_path: Path) -> None:
    write(tmp_path / "dataset/dataset.json", 0, 10)
    plan(tmp_path, "dataset/dataset.json", 1 << 40)
    assert [step.before_s for step in remembered(tmp_path, listed(MADE))] == [None, None]


def test_a_report_s_own_times_are_the_last_of_all(tmp_path: Path) -> None:
    manifests = [{"started_at": AT.format(at), "finished_at": AT.format(at + 1)} for at in (3, 9, 5)]
    (tmp_path / "results.json").write_text(json.dumps({"provenance": manifests}), encoding="utf-8")
    found = span(tmp_path / "results.json")
    assert found is not None and found.finished - found.started == 1
    write(tmp_path / "other.json", 9, 10)
    assert found == span(tmp_path / "other.json")


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"provenance": 3}', '{"provenance": []}', '{"provenance": {"started_at": "x", "finished_at": "y"}}',
     '{"provenance": {"started_at": null, "finished_at": 3}}', "[" * 100_000,
     '{"provenance": {"started_at": "2026-01-02T03:04:05Z", "finished_at": "2026-01-02T03:04:04Z"}}'],
)  # fmt: skip
def test_what_is_no_artifact_has_no_times(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    assert span(tmp_path / "a.json") is None
    os.mkfifo(tmp_path / "pipe")
    assert span(tmp_path / "pipe") is None
    assert span(tmp_path / "nothing") is None
