"""The action in a job of another repository, run by nektos/act."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from common.artifact import read
from common.schema.comparison import Comparison
from common.schema.results import Results
from tests.e2e.github import Done, caller, job, published
from tests.given import QUICK, scaled_dense

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXPERIMENT = (
    """
title = "Files"
reference = "a"
"""
    + QUICK
    + """\
[variants.a]
file = "../models/a $(touch pwned) 'b'.tflite"
"""
)
NAME = "models/a $(touch pwned) 'b'.tflite"
FILES = {
    NAME: scaled_dense(),
    "experiments/mine.toml": EXPERIMENT.encode(),
    "small.toml": b"[[budget]]\nsize_mb = 0.000001\n",
    ".gitignore": b"/runs/\n",
}


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("action") / "edgeproof")


@pytest.fixture(scope="module")
def first(action: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A job of a list of files, without anything to hold them against."""
    folder = tmp_path_factory.mktemp("first")
    return job(action, caller(folder / "repository", FILES), folder / "out", models=f"\n  {NAME}\n", budget="5s")


def test_files_of_another_repository_become_a_report(first: Done) -> None:
    assert first.outcome == "success", first.log
    assert first.outputs["verdict"] == "not-checked" and first.outputs["junit"] == ""
    assert first.text("summary") == first.page != ""
    assert first.page.startswith("<!-- edgeproof summary of models -->")
    assert "</html>" in first.text("report")
    results = read(first.run / "report" / "results.json", Results)
    # The action's archive has no .git, and its own files are all that it makes anything with.
    assert results.provenance and all(each.code.commit is None for each in results.provenance)
    assert not first.changed
    assert not list(first.run.parent.rglob("pwned"))


def test_a_budget_is_kept_broken_or_cannot_be_said(action: Path, first: Done, tmp_path: Path) -> None:
    """The base is the other job's run, as a downloaded artifact; the same file, so that nothing is measured twice."""
    repository = caller(tmp_path / "repository", FILES)
    shutil.copytree(first.run, repository / "base")
    kept = job(action, repository, tmp_path / "out", models=NAME, base="base", rerun="true", budget="5s")
    assert (kept.outcome, kept.outputs["verdict"]) == ("success", "kept"), kept.log
    assert kept.page == kept.text("summary")
    assert kept.page.startswith("<!-- edgeproof check of models -->\n**Budgets kept")
    suites = ElementTree.fromstring(kept.text("junit"))  # noqa: S314
    assert suites.attrib["failures"] == suites.attrib["errors"] == "0" != suites.attrib["tests"]
    broken = job(action, repository, tmp_path / "out", experiment="experiments/mine.toml", budgets="small.toml")
    assert (broken.outcome, broken.outputs["verdict"]) == ("failure", "broken"), broken.log
    assert broken.annotations("error") and "size of a: " in broken.annotations("error")[0]


def test_what_cannot_be_said_passes_unless_it_must_not(action: Path, tmp_path: Path) -> None:
    repository = caller(tmp_path / "repository", FILES)
    given = {"experiment": "experiments/mine.toml", "base": "base"}
    done = job(action, repository, tmp_path / "out", **given)
    assert (done.outcome, done.outputs["verdict"]) == ("success", "cannot-say"), done.log
    assert done.annotations("warning")[0] == "base: base holds no results: what needs a base cannot be said"
    assert "there is nothing to compare with" in done.page
    strict = job(action, repository, tmp_path / "out", **given, fail_on="cannot-say")
    assert (strict.outcome, strict.outputs["verdict"]) == ("failure", "cannot-say")


def test_both_files_are_measured_in_turns_and_a_gate_may_only_tell(action: Path, first: Done, tmp_path: Path) -> None:
    repository = caller(tmp_path / "repository", {**FILES, NAME: scaled_dense(2.0)})
    shutil.copytree(first.run, repository / "base")
    given = {"models": NAME, "base": "base", "rerun": "true", "budget": "5s", "budgets": "small.toml"}
    done = job(action, repository, tmp_path / "out", **given, fail_on="never")
    assert (done.outcome, done.outputs["verdict"]) == ("success", "broken"), done.log
    comparison = read(done.run / "check" / "compare.json", Comparison)
    assert comparison.interleaved and len(comparison.cells) == 2


def test_a_run_that_fails_is_one_line_on_the_jobs_page(action: Path, tmp_path: Path) -> None:
    repository = caller(tmp_path / "repository", {"broken.tflite": b"none"})
    done = job(action, repository, tmp_path / "out", models="*.tflite", fail_on="never")
    assert (done.outcome, done.outputs["verdict"], done.outputs["summary"]) == ("failure", "", "")
    [line] = done.annotations("error")
    assert "broken.tflite: not a .tflite file" in line
    assert done.page == "No report: see the log of the step.\n"
