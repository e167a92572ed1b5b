"""Runs on disk to what changed, what is refused, and what is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from junitparser import Error, Failure, JUnitXml

from common.artifact import file_ref, read, write_model
from common.errors import NotComparableError, UsageError
from common.provenance import ROOT
from common.schema.benchmark import Benchmark
from common.schema.budget import Check
from common.schema.comparison import Comparison
from common.schema.results import Results
from common.summary import MOST_BYTES, MOST_LINES
from jobs.compare import stage
from jobs.compare.terminal import show, show_check
from jobs.report.stage import report
from tests.unit.common.run.test_between import LAST
from tests.unit.compare.runs import another, results, slower, write
from tests.unit.report import factories as f
from tests.unit.report.conftest import Run, run
from tests.unit.report.rich import hostile, rich
from tests.unit.report.test_summary import large

__all__ = ["run"]
BASE = results()


@pytest.fixture
def reported(run: Run) -> Path:
    """A whole run with its report."""
    report(run.experiment, run.path, run.folders, run.choice, run.folder / "report")
    return run.folder


def test_a_run_beside_itself_does_not_differ(reported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparison, folder = stage.compare(reported, reported / "report" / "results.json", None, None)
    assert folder == reported / "compare" and comparison.itself and comparison.base.folder
    assert read(folder / "compare.json", Comparison) == comparison
    assert {change.latency.verdict for change in comparison.cells} == {"same file"}
    # The one session of both ledgers is one.
    assert {spread.sessions for spread in comparison.spreads} == {1}
    show(comparison, folder)
    assert "No difference." in capsys.readouterr().out


def test_answers_of_both_runs_are_paired_by_image(reported: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(reported, base, ignore=shutil.ignore_patterns("base"))
    given = read(base / "report" / "results.json", Results)
    place = base / "evaluation" / "float16"
    outputs = np.load(place / "outputs.npy")
    outputs[:7] = outputs[:7, ::-1]
    np.save(place / "outputs.npy", outputs)
    evaluations = tuple(
        e.model_copy(update={"outputs": file_ref(place / "outputs.npy", place)}) if e.variant == "float16" else e
        for e in given.evaluations
    )
    given = another(given.model_copy(update={"evaluations": evaluations}), "float16")
    write_model(base / "report" / "results.json", given)
    quality = stage.compare(base, reported, None, None)[0].variant("float16").quality
    assert (quality.only_base_right, quality.only_head_right) == (0, 7) and quality.verdict == "shown to keep"
    (place / "outputs.npy").write_bytes(b"changed")
    with pytest.raises(UsageError, match="was changed after its stage wrote it"):
        stage.compare(base, reported, None, None)
    (place / "outputs.npy").unlink()
    assert stage.compare(base, reported, None, None)[0].variant("float16").quality.verdict == "not shown"


def test_a_benchmark_of_another_report_is_refused(reported: Path) -> None:
    path = reported / "benchmark" / "host" / "benchmark.json"
    benchmark = read(path, Benchmark)
    write_model(path, benchmark.model_copy(update={"warnings": ()}))
    with pytest.raises(UsageError, match="none that the report was made from"):
        stage.compare(reported, reported, None, None)


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        stage.compare(tmp_path / "none", tmp_path, None, None)
    with pytest.raises(UsageError, match="holds no report"):
        stage.compare(tmp_path, tmp_path, None, None)
    write_model(tmp_path / "results.json", BASE)
    with pytest.raises(UsageError, match="stands in no run's folder"):
        stage.compare(tmp_path / "results.json", tmp_path / "results.json", None, None)
    assert stage.compare(tmp_path, tmp_path / "results.json", None, tmp_path / "out")[1] == tmp_path / "out"


def test_another_processor_is_written_and_then_refused(tmp_path: Path) -> None:
    head = BASE.model_copy(update={"targets": (f.host(fact="Intel Xeon"),)})
    found = stage.compare(write(tmp_path / "a", BASE), write(tmp_path / "b", head), None, None)
    with pytest.raises(NotComparableError, match="CPU of host is AMD EPYC in the base and Intel Xeon in the head"):
        show(*found)
    assert "Intel Xeon" in (tmp_path / "b" / "compare" / "compare.md").read_text(encoding="utf-8")


def command(*argv: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobs.compare", *argv], cwd=ROOT, text=True, capture_output=True, timeout=60, env=env
    )


def test_the_exit_status_says_kept_broken_or_not_comparable(tmp_path: Path) -> None:
    base, same = write(tmp_path / "a", BASE), write(tmp_path / "b", BASE)
    slow = write(tmp_path / "c", another(slower(BASE, 2.0, LAST), LAST))
    (tmp_path / "budgets.toml").write_text("[[budget]]\nregression = 0\n", encoding="utf-8")
    budgets = ("--budgets", str(tmp_path / "budgets.toml"))
    kept = command("--check", "--base", str(base), "--head", str(same), *budgets)
    assert (kept.returncode, kept.stderr) == (0, "") and "Budgets kept: 10 kept (exit status 0)." in kept.stdout
    broken = command("--check", "--base", str(base), "--head", str(slow), *budgets)
    assert broken.returncode == 1 and f"broken: regression of {LAST} on host · xnnpack: " in broken.stdout
    assert command("--check", "--head", str(slow), *budgets).returncode == 3
    other = write(tmp_path / "d", BASE.model_copy(update={"targets": (f.host(fact="Intel"),)}))
    refused = command("--base", str(base), "--head", str(other))
    assert refused.returncode == 3 and refused.stderr.startswith("error: latencies are not compared: CPU of host")
    assert command("--check", "--base", str(base), "--head", str(other), *budgets).returncode == 3
    for wrong in (("--head", str(same)), ("--base", str(base), "--head", str(same), *budgets)):
        done = command(*wrong)
        assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_a_base_of_other_variants_leaves_the_limits_that_need_none(tmp_path: Path) -> None:
    base = write(tmp_path / "a", f.results(variants=(f.variant_result("theirs", 9),), measurements=(), evaluations=()))
    head = write(tmp_path / "b", BASE)
    (tmp_path / "budgets.toml").write_text("[[budget]]\nregression = 0\nsize_mb = 1000\n", encoding="utf-8")
    check, folder = stage.check(base, head, None, tmp_path / "budgets.toml", None)
    assert {(each.limit, each.status) for each in check.checked} == {("size", "kept"), ("regression", "cannot say")}
    assert check.exit_code == 3 and check.base_sha256 != check.head_sha256
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert summary.splitlines()[1].startswith("**Cannot say.**")
    assert "the base has the variants theirs, the head baseline" in summary
    (tmp_path / "budgets.toml").write_text("[[budget]]\nregression = 0\nsize_mb = 0.000001\n", encoding="utf-8")
    assert stage.check(base, head, None, tmp_path / "budgets.toml", None)[0].exit_code == 1


def test_a_check_writes_what_other_programs_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = write(tmp_path / "a", BASE)
    head = write(tmp_path / "b", another(slower(BASE, 2.0, LAST), LAST))
    found, folder = stage.check(base, head, None, None, None)
    assert read(folder / "check.json", Check) == found and found.status == "broken"
    assert {path.name for path in folder.iterdir()} - {".lock"} == {
        *("check.json", "compare.json", "compare.md", "junit.xml", "summary.md")
    }
    root = ElementTree.parse(folder / "junit.xml").getroot()  # noqa: S314
    [suite] = root
    assert (root.tag, suite.tag, {case.tag for case in suite}) == ("testsuites", "testsuite", {"testcase"})
    for each in (root, suite):
        counts = [len(root.findall(f".//{tag}")) for tag in ("testcase", "failure", "error")]
        assert [int(each.attrib[key]) for key in ("tests", "failures", "errors")] == counts
    assert counts == [15, 2, 1]
    # What the form of Ant and Jenkins knows (junit-10.xsd).
    assert root.attrib.keys() == suite.attrib.keys() == {"name", "tests", "failures", "errors", "time"}
    assert all(case.attrib.keys() == {"name", "classname", "time"} for case in suite)
    assert all(found.attrib.keys() == {"message", "type"} for case in suite for found in case)
    # The reader of others finds what was checked.
    assert outcomes(folder / "junit.xml") == [
        (f"budget {each.budget}", each.limit.replace(" ", "_"), each.status, "" if each.status == "kept" else each.text)
        for each in sorted(found.checked, key=lambda each: each.budget)
    ]
    told = (folder / "summary.md").read_text(encoding="utf-8").splitlines()
    assert told[0] == "<!-- edgeproof check of demo -->" and told[1].startswith("**Budgets broken.**")
    assert told[5].startswith("| regression | pruned\\_dynamic\\_range |")
    assert show_check(found, folder) == 1 and "::error" not in capsys.readouterr().out


def outcomes(path: Path) -> list[tuple[str, str, str, str]]:
    """Suite, limit, status and message of every case of a JUnit file, as junitparser reads them."""
    found = []
    for suite in JUnitXml.fromfile(str(path)):
        for case in suite:
            result = next(iter(case.result), None)
            status = "broken" if isinstance(result, Failure) else "cannot say" if isinstance(result, Error) else "kept"
            message = "" if result is None else result.message
            found.append((suite.name, case.classname.removeprefix("edgeproof."), status, message))
    return found


def test_annotations_are_for_github_alone_and_bounded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    given = large(rich(), 20)
    names = [variant.name for variant in given.variants[1:]]
    head = another(slower(given, 3.0, *names), *names)
    found, folder = stage.check(write(tmp_path / "a", given), write(tmp_path / "b", head), None, None, None)
    show_check(found, folder)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    errors = [line for line in lines if line.startswith("::error title=regression broken::")]
    assert len(errors) == 9 and sum(line.startswith("::error") for line in lines) == 10
    assert any(line == f"::error title=broken::and {19 * 12 - 9} more" for line in lines)


def test_what_comes_from_outside_stays_text_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    bad = "x\n::set-output name=a::b\n::error::%0A\x00\ufffe ]]> &lt; | `a` <!-- --> \u202e"
    given = large(hostile(), 20)
    names = [variant.name for variant in given.variants[1:]]
    target = given.targets[0].model_copy(update={"facts": (("CPU", bad), (bad, "1"))})
    head = another(slower(given, 3.0, *names), *names).model_copy(update={"title": bad})
    other = head.model_copy(update={"targets": (target, *head.targets[1:])})
    found, folder = stage.check(write(tmp_path / "a", given), write(tmp_path / "b", other), None, None, None)
    comparison = read(folder / "compare.json", Comparison)
    show_check(found, folder)
    show(comparison, folder)
    out = capsys.readouterr().out
    assert all(line.startswith(("::error title=", "::warning title=")) for line in out.splitlines() if line[:2] == "::")
    assert not {"\x00", "\u202e", "\x1b"} & set(out)
    assert all(text.isprintable() for _, _, _, text in outcomes(folder / "junit.xml"))
    summary = (folder / "summary.md").read_bytes()
    assert len(summary) <= MOST_BYTES and summary.count(b"\n") <= MOST_LINES
    for name in ("summary.md", "compare.md"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "<script" not in text.replace("\\<script", "") and "\u202e" not in text
        assert not [line for line in text.splitlines() if line.startswith("::")]


def test_a_run_that_brings_a_link_along_leads_nothing_elsewhere(tmp_path: Path) -> None:
    base, head = write(tmp_path / "a", BASE), write(tmp_path / "b", another(BASE, LAST))
    (tmp_path / "elsewhere").mkdir()
    for name in ("compare", "check", "rerun"):
        (head / name).symlink_to(tmp_path / "elsewhere")
    for call in (
        lambda: stage.compare(base, head, None, None),
        lambda: stage.check(base, head, None, None, None),
        lambda: stage.gather(base, head, head / "rerun" / "given"),
    ):
        with pytest.raises(UsageError, match="is a link"):
            call()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_files_to_measure_in_turns_are_gathered(reported: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(reported, base, ignore=shutil.ignore_patterns("base"))
    assert stage.gather(base, reported, tmp_path / "given") == ""
    given = read(base / "report" / "results.json", Results)
    made = base / "variants" / "float16"
    (made / "float16.tflite").write_bytes(b"before")
    text = json.loads((made / "variant.json").read_text(encoding="utf-8"))
    text["model"] = file_ref(made / "float16.tflite", made).model_dump()
    (made / "variant.json").write_text(json.dumps(text), encoding="utf-8")
    assert stage.gather(base, reported, tmp_path / "given") == ""
    write_model(base / "report" / "results.json", another(given, "float16", sha=text["model"]["sha256"]))
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "head-old.tflite").touch()
    assert stage.gather(base, reported, tmp_path / "given") == "base-baseline"
    files = {path.name: path.read_bytes() for path in (tmp_path / "given").iterdir()}
    assert files == {
        "base-baseline.tflite": b"baseline",
        "base-float16.tflite": b"before",
        "head-float16.tflite": b"float16",
    }
    write_model(base / "report" / "results.json", another(given, "float16"))
    with pytest.raises(UsageError, match="was made again after the report"):
        stage.gather(base, reported, tmp_path / "given")
