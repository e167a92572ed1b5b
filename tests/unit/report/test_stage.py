"""From folders on disk to the report's folder, and what is refused."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.artifact import read, write_model
from common.errors import UsageError
from common.provenance import ROOT
from common.schema.choice import Overall, RunnerUp, Winner
from common.schema.judgement import Setting
from common.schema.results import Latency, Results
from jobs.report.stage import report, rerender
from tests.command import command
from tests.unit.report import factories as f
from tests.unit.report.conftest import Run, write_choice

FILES = {"report.html", "report.md", "summary.md", "results.csv", "results.json", "contact_sheet.jpg"}
CHARTS = {f"{stem}.svg" for stem in ("tradeoff", "forest", "trace", "strip", "recalls", "training")}
Edit = Callable[[dict[str, Any]], object]


def _report(run: Run) -> Results:
    return report(run.experiment, run.path, run.folders, run.choice, run.folder / "report")


def _edit(path: Path, edit: Edit) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_run_becomes_a_folder(run: Run) -> None:
    results = _report(run)
    output = run.folder / "report"
    assert {path.name for path in output.iterdir()} - {".lock"} == FILES | CHARTS
    assert read(output / "results.json", Results) == results
    assert [v.name for v in results.variants] == ["baseline", "float16"]
    assert results.variants[0].waived == ("folded",)
    assert [item.stage for item in results.provenance][-2:] == ["choose", "report"]
    assert results.missing == (
        "Inference time and run-time memory on GPU and NNAPI were not measured: "
        "they need an Android device, and this run measured on host.",
    )


def test_folders_of_variants_that_are_gone_are_ignored(run: Run) -> None:
    (run.folders.variants / "old").mkdir()
    (run.folders.variants / "old" / "variant.json").write_text("{}", encoding="utf-8")
    assert len(_report(run).variants) == 2


def test_rendering_the_results_again_gives_the_same_bytes(run: Run) -> None:
    _report(run)
    rerender(run.folder / "report" / "results.json", run.folder / "again")
    for name in FILES | CHARTS:
        assert (run.folder / "again" / name).read_bytes() == (run.folder / "report" / name).read_bytes(), name


def test_pictures_of_an_earlier_report_are_removed(run: Run) -> None:
    output = run.folder / "report"
    output.mkdir()
    for name in ("training.png", "contact_sheet.jpg"):
        (output / name).write_bytes(b"old")
    write_model(run.folder / "r.json", f.results(training=None, dataset=None, measurements=()))
    (output / "training.md").write_text("mine", encoding="utf-8")
    rerender(run.folder / "r.json", output)
    names = {path.name for path in output.iterdir()}
    assert "training.png" not in names and "contact_sheet.jpg" not in names
    assert "training.md" in names


def test_one_round_keeps_no_spread(run: Run) -> None:
    path = run.folders.benchmarks[0] / "benchmark.json"
    changes = {"rounds": 1, "interval": None, "ratio": None}
    _edit(path, lambda content: [row["result"].update(changes) for row in content["rows"]])
    write_choice(run)
    result = _report(run).measurements[0].result
    assert isinstance(result, Latency)
    assert (result.low_us, result.high_us, result.rounds) == (None, None, 1)


def test_the_commands_are_quoted(run: Run) -> None:
    strange = run.folder / "a b;c.toml"
    results = report(run.experiment, strange, run.folders, run.choice, run.folder / "report")
    assert results.reproduce[-1] == f"make all 'EXPERIMENT={strange}'"


def test_another_data_source_is_part_of_the_commands(run: Run) -> None:
    other = run.path.read_text(encoding="utf-8").replace("photos", "elsewhere")
    run.path.write_text(other, encoding="utf-8")
    from common.experiment import load

    results = report(load(run.path), run.path, run.folders, run.choice, run.folder / "report")
    assert "DATA=photos" in results.reproduce[-1]


def test_changes_without_a_commit_are_a_warning(run: Run) -> None:
    path = run.folders.evaluations / "baseline" / "evaluation.json"
    _edit(path, lambda content: content["provenance"]["code"].update(dirty=True, commit="b" * 40))
    write_choice(run)
    warnings = " ".join(_report(run).warnings)
    assert "no commit holds (evaluate" in warnings
    assert "evaluate bbbbbbbbbbbb" in warnings and "different commits" in warnings


REFUSED: dict[str, tuple[str, Edit, str]] = {
    "evaluation of another file": (
        "evaluation/float16/evaluation.json",
        lambda content: content.update(model_sha256=f.OTHER_SHA),
        r"the model \(sha256\) in the evaluation of float16 is fedcba987654, but the variant's file is [0-9a-f]{12} ",
    ),
    "evaluation on another dataset": (
        "evaluation/float16/evaluation.json",
        lambda content: content["provenance"]["inputs"][0].update(sha256=f.OTHER_SHA),
        "dataset in the evaluation of float16 is fedcba987654",
    ),
    "evaluation against another reference": (
        "evaluation/float16/evaluation.json",
        lambda content: content["mcnemar"].update(reference="float32"),
        "reference in the evaluation of float16 is float32, but the experiment's is baseline",
    ),
    "row of another file": (
        "benchmark/host/benchmark.json",
        lambda content: content["rows"][1]["cell"].update(model_sha256=f.OTHER_SHA),
        "float16 in the benchmark on host is fedcba987654",
    ),
    "benchmark without a variant": (
        "benchmark/host/benchmark.json",
        lambda content: content["rows"].pop(),
        "the benchmark on host holds no variant float16, only baseline",
    ),
    "benchmark against another reference": (
        "benchmark/host/benchmark.json",
        lambda content: content.update(reference="float16"),
        "reference in the benchmark on host is float16, but the experiment's is baseline",
    ),
    "variant of another recipe": (
        "variants/float16/variant.json",
        lambda content: content["recipe"]["convert"].update(format="float32"),
        'recipe of variant float16 is .*"float32".*"float16"',
    ),
    "variant of another training": (
        "variants/float16/variant.json",
        lambda content: content["provenance"]["inputs"][1].update(sha256=f.OTHER_SHA),
        "training of variant float16 is fedcba987654, but the training given is",
    ),
    "training of another dataset": (
        "train/training.json",
        lambda content: content["provenance"]["inputs"][0].update(sha256=f.OTHER_SHA),
        "the training's dataset is fedcba987654, but the dataset given is",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_belong_together_is_refused(run: Run, case: str) -> None:
    name, edit, message = REFUSED[case]
    earlier = run.folder / "report" / "results.json"
    earlier.parent.mkdir()
    earlier.write_text("earlier", encoding="utf-8")
    _edit(run.folder / name, edit)
    with pytest.raises(UsageError, match=message):
        _report(run)
    assert earlier.read_text(encoding="utf-8") == "earlier"


def test_a_model_that_was_changed_is_refused(run: Run) -> None:
    (run.folders.variants / "float16" / "float16.tflite").write_bytes(b"other")
    with pytest.raises(UsageError, match=r"float16\.tflite was changed"):
        _report(run)


def chosen(**changes: object) -> dict[str, object]:
    """Results whose choice has other parts."""
    return {"choice": f.choice().model_copy(update=changes)}


def judged(**changes: object) -> dict[str, object]:
    """The same of its judgement."""
    found = f.choice().judgement
    assert found is not None
    return chosen(judgement=found.model_copy(update=changes))


GHOST = Winner(setting=Setting(target="host", backend="cpu", threads=1), best="ghost", reason="")
INCONSISTENT: dict[str, tuple[dict[str, object], str]] = {
    "reference": ({"reference": "other"}, "the reference 'other' is not among the variants baseline"),
    "measured": ({"measurements": (f.measurement("x", f.latency(1, None)),)}, "measured variant 'x'"),
    "recommended": (chosen(best="ghost"), "the recommended variant 'ghost' is not among the variants baseline"),
    "second": (chosen(runner_up=RunnerUp(name="ghost", buys="")), "the second variant 'ghost'"),
    "winner": (chosen(winners=(GHOST,)), "the winner 'ghost'"),
    "overall": (chosen(overall=Overall(best="ghost", rule="")), "the overall best variant 'ghost'"),
    "unheard": (chosen(standings=()), "the choice says nothing of the variant 'baseline'"),
    "unjudged": (judged(variants=()), "the judgement says nothing of the variant 'baseline'"),
    "repeated": ({"measurements": (*f.measurements(), *f.measurements())}, "is given twice"),
    "confusion": (
        {"evaluations": (f.evaluation("baseline", 290).model_copy(update={"confusion": ((1,), (2,))}),)},
        "confusion of baseline is 1, but the number of classes is 2",
    ),
}


@pytest.mark.parametrize("case", INCONSISTENT)
def test_results_that_contradict_themselves_are_refused(tmp_path: Path, case: str) -> None:
    changes, message = INCONSISTENT[case]
    write_model(tmp_path / "r.json", f.results(**changes))
    with pytest.raises(UsageError, match=message):
        rerender(tmp_path / "r.json", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_figures_that_no_machine_measures_are_drawn_all_the_same(tmp_path: Path) -> None:
    latency = f.latency(300.0, None)
    assert latency.interval is not None
    latency = latency.model_copy(update={"interval": latency.interval.model_copy(update={"high": -1e308})})
    write_model(tmp_path / "r.json", f.results(measurements=(f.measurement("baseline", latency),)))
    rerender(tmp_path / "r.json", tmp_path / "out")
    drawn = (tmp_path / "out" / "tradeoff.svg").read_text(encoding="utf-8")
    assert not {"nan", "inf"} & set(re.findall(r"[a-z]+", drawn.rpartition("</style>")[2].lower()))


def test_a_report_is_not_rendered_onto_itself(run: Run) -> None:
    write_model(run.folder / "results.json", f.results())
    with pytest.raises(UsageError, match="both read and written"):
        rerender(run.folder / "results.json", run.folder)


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "jobs.report", *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_the_command_writes_shows_and_shows_again(run: Run) -> None:
    output = run.folder / "report"
    made = _command(*run.arguments, "--output", str(output))
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == f"report: {output / 'report.html'}"
    row = next(line.split() for line in made.stdout.splitlines() if " float16 " in line)
    # The winner is marked.
    assert row[3:] == ["96.67", "%", "✓", "100", "1.20", "▲"]
    assert all(len(line) <= 100 for line in made.stdout.splitlines()[:-1])
    shown = command("report", "--summary", output)
    assert shown.stdout == made.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to report (give one of --experiment, --results, --history, --search, --summary)"),
        (["--results", "a", "--experiment", "b"], "--experiment and --results exclude each other"),
        (["--results", "a", "--dataset", "b", "--output", "c"], "--results takes no folders of stages"),
        (["--results", "a"], "--output is missing"),
        (
            ["--experiment", "experiments/demo.toml", "--output", "c"],
            "--variants, --evaluations, --dataset or --samples",
        ),
        (["--results", "nowhere.json", "--output", "c"], "nowhere.json does not exist"),
        (["--summary", "nowhere"], "nowhere/results.json does not exist"),
        (["--results", "a", "--why", "b", "c"], "--why needs a report"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], message: str) -> None:
    done = command("report", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and message in done.stderr
    assert len(done.stderr.splitlines()) == 1
