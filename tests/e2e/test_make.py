"""The whole chain in a virtual environment: once, again, after a change, after a kill."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from common.artifact import read
from common.provenance import ROOT
from common.schema.benchmark import Benchmark
from common.schema.choice import Choice
from common.schema.results import Results
from tests.e2e.conftest import SMALL, Make

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Finished = tuple[Path, Path, str]


def artifacts(run: Path) -> dict[str, int]:
    """Modification time of every artifact's JSON."""
    names = {
        "dataset.json",
        "training.json",
        "variant.json",
        "evaluation.json",
        "benchmark.json",
        "choice.json",
        "results.json",
    }
    return {
        str(path.relative_to(run)): path.stat().st_mtime_ns
        for path in run.rglob("*.json")
        if path.name in names and "plan" not in path.parts
    }


def test_images_become_a_report(finished: Finished) -> None:
    _, run, said = finished
    assert str(run / "report" / "report.html") in said
    results = read(run / "report" / "results.json", Results)
    assert [variant.name for variant in results.variants] == ["baseline", "float16", "pruned"]
    assert len(results.measurements) == 6
    assert all(measurement.result.kind == "latency" for measurement in results.measurements)
    assert len(results.evaluations) == 3
    assert results.choice is not None
    assert results.choice.model is not None and (run / "best" / results.choice.model.path).is_file()
    assert {item.stage for item in results.provenance} >= {"dataset", "train", "optimize", "evaluate", "benchmark"}
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert "pruned" in page
    assert (run / "report" / "report.md").stat().st_size > 1000
    assert not list(run.rglob("*.partial"))


def test_the_run_is_evidence_that_follows_from_its_records(finished: Finished, make: Make, tmp_path: Path) -> None:
    experiment, run, _ = finished
    bundle = tmp_path / "run.tar"
    packed = make("bundle", EXPERIMENT=experiment, RUN=run, BUNDLE=bundle).stdout
    assert f"{bundle}: " in packed and "sha256" in packed
    said = make("verify", BUNDLE=bundle).stdout
    assert "Everything follows" in said and "3 .tflite files read again" in said
    content = bytearray(bundle.read_bytes())
    place = content.index(b'"latency_us": ') + len(b'"latency_us": ')
    content[place] = ord("1") if content[place] != ord("1") else ord("2")
    bundle.write_bytes(content)
    failed = make("verify", check=False, BUNDLE=bundle)
    assert failed.returncode == 2 and "does not follow from its records" in failed.stdout


def test_the_results_go_to_other_tools(finished: Finished, make: Make, tmp_path: Path) -> None:
    experiment, run, _ = finished
    for name in ("google-benchmark", "bencher"):
        said = make("export", EXPERIMENT=experiment, RUN=run, FORMAT=name).stdout
        assert said == f"{run}/export/{name}.json\n" and json.loads((run / "export" / f"{name}.json").read_bytes())
    said = make("export", EXPERIMENT=experiment, RUN=run, FORMAT="model-explorer").stdout
    nodes = list((run / "export" / "model-explorer").glob("*.json"))
    assert len(nodes) == 6 and all(f"{path}\n" in said for path in nodes) and said.count("note: ") == 6
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    said = make("export", EXPERIMENT=experiment, RUN=run, FORMAT="mlflow", env=store).stdout
    assert said.endswith(f"{store['MLFLOW_TRACKING_URI']}, experiment small: 4 runs written\n")
    failed = make("export", check=False, EXPERIMENT=experiment, RUN=run, FORMAT="csv").stdout
    assert failed.splitlines()[0] == ("error: FORMAT=csv is not one of google-benchmark bencher model-explorer mlflow")


def test_a_second_time_does_nothing_and_says_so(finished: Finished, make: Make) -> None:
    experiment, run, _ = finished
    before = artifacts(run)
    said = make("all", EXPERIMENT=experiment, RUN=run).stdout
    assert "Nothing to do" in said
    assert "] train" not in said
    assert artifacts(run) == before


def test_a_file_that_is_gone_is_made_anew_with_what_hangs_on_it(finished: Finished, make: Make) -> None:
    experiment, run, _ = finished
    before = artifacts(run)
    model = read(run / "best" / "choice.json", Choice).model
    assert model is not None
    chosen = model.path
    (run / "best" / chosen).unlink()
    said = make("all", EXPERIMENT=experiment, RUN=run).stdout
    assert f"{chosen} is gone, so it is made anew" in said
    assert (run / "best" / chosen).is_file()
    after = artifacts(run)
    assert {name for name in after if after[name] != before[name]} == {"best/choice.json", "report/results.json"}


def test_a_changed_recipe_rebuilds_what_hangs_on_it(finished: Finished, make: Make) -> None:
    experiment, run, _ = finished
    before = artifacts(run)
    experiment.write_text(SMALL.replace("sparsity = 0.5", "sparsity = 0.6"), encoding="utf-8")
    make("all", EXPERIMENT=experiment, RUN=run)
    after = artifacts(run)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "variants/pruned/variant.json",
        "evaluation/pruned/evaluation.json",
        "benchmark/host/benchmark.json",
        "best/choice.json",
        "report/results.json",
    }
    rows = read(run / "benchmark" / "host" / "benchmark.json", Benchmark).rows
    sessions = {(row.cell.variant, row.session) for row in rows}
    assert sessions == {("baseline", 1), ("float16", 0), ("pruned", 1)}


def test_a_killed_training_goes_on(finished: Finished, make: Make, tmp_path: Path) -> None:
    _, run, _ = finished
    argv = ["make", "train", "V=1", "RUNTIME=local", f"EXPERIMENT={tmp_path / 'small.toml'}", f"RUN={tmp_path / 'run'}"]
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 2/4"):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "run" / "train" / "training.json").exists()
    said = make("train", EXPERIMENT=tmp_path / "small.toml", RUN=tmp_path / "run").stdout
    assert "going on after epoch" in said
    assert "] train" in said and "] dataset" not in said
    whole, resumed = (folder / "train" / "model.h5" for folder in (run, tmp_path / "run"))
    assert whole.read_bytes() == resumed.read_bytes()


def test_two_runs_give_the_same_bytes(finished: Finished, make: Make, tmp_path: Path) -> None:
    _, run, _ = finished
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    make("optimize", EXPERIMENT=tmp_path / "small.toml", RUN=tmp_path / "run")
    for name in ("baseline", "float16"):
        file = f"variants/{name}/{name}.tflite"
        assert (run / file).read_bytes() == (tmp_path / "run" / file).read_bytes()
