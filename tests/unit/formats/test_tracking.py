"""Runs in MLflow's own SQLite store, read back with its own client."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.artifact import read, sha256_file, write_model
from common.errors import EdgeproofError, NotComparableError, UsageError
from common.provenance import ROOT
from common.schema.results import Results
from jobs.formats import stage
from jobs.formats.cells import cells
from jobs.formats.tracking import PATIENCE, QUIET
from tests.unit.report.rich import hostile
from tests.whole_run import Whole

mlflow = pytest.importorskip("mlflow", reason="needs requirements/mlflow.txt, as make setup installs it")
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Run  # noqa: E402

SHA, KEY, PARENT = "edgeproof.results_sha256", "edgeproof.key", "mlflow.parentRunId"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take it seconds to make."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set for MLflow in one test is not there in the next."""
    for name in (*QUIET, *PATIENCE):
        monkeypatch.setenv(name, os.environ.get(name, ""))
        monkeypatch.delenv(name)


@pytest.fixture
def client(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A store of its own, which MLFLOW_TRACKING_URI names."""
    shutil.copy(empty, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return MlflowClient(uri)


def runs(client: MlflowClient, experiment: str = "whole") -> dict[str, Run]:
    """By key."""
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    assert len({run.data.tags[KEY] for run in found}) == len(found)
    return {run.data.tags[KEY]: run for run in found}


def artifacts(client: MlflowClient, run: Run, folder: str | None = None) -> set[str]:
    return {found.path for found in client.list_artifacts(run.info.run_id, folder) if not found.is_dir}


def test_a_run_per_variant_and_target_with_its_figures_and_model(
    client: MlflowClient, whole: Whole, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = whole.run / "report" / "results.json"
    results = read(path, Results)
    stage.mlflow(path, whole.run)
    assert capsys.readouterr().out == f"sqlite:///{tmp_path}/mlflow.db, experiment whole: 7 runs written\n"
    found = runs(client)
    top = found.pop("whole")
    assert artifacts(client, top) == {"results.json", "report.html", "report.md", "summary.md", "results.csv"} | {
        "model_card.md"
    }
    parts = {(run.data.params["variant"], run.data.params["target"]): run for run in found.values()}
    names = [variant.name for variant in results.variants]
    assert parts.keys() == {(name, target.name) for name in names for target in results.targets}
    for (name, target), run in parts.items():
        assert run.info.status == "FINISHED" and run.info.run_name == f"{name} on {target}"
        assert run.data.tags[PARENT] == top.info.run_id and run.data.tags[SHA] == sha256_file(path)
        for cell in cells(results):
            if (cell.measurement.variant, cell.measurement.target) == (name, target):
                label = f"{cell.measurement.backend}/threads-{cell.measurement.threads}"
                assert run.data.metrics[f"{label}/latency_us"] == cell.latency.latency_us
                history = client.get_metric_history(run.info.run_id, f"{label}/process_us")
                assert [point.value for point in history] == list(cell.processes_us)
        assert artifacts(client, run) == {"variant.json", "evaluation.json"}
        got = Path(client.download_artifacts(run.info.run_id, "model", str(tmp_path)))
        made = whole.run / "variants" / name / f"{name}.tflite"
        model = mlflow.models.Model.load(str(got / "MLmodel"))
        flavor = model.flavors["tflite"]
        assert (got / flavor["data"]).read_bytes() == made.read_bytes()
        assert flavor["sha256"] == sha256_file(made) == run.data.params["model_sha256"]
        [given] = model.signature.inputs
        assert (given.name, given.type.name, given.shape) == ("image", "float32", (1, 16, 16, 3))
    # Beside the database, not where the command was called.
    assert (tmp_path / "mlruns").is_dir() and not (Path.cwd() / "mlruns").exists()


def test_a_model_can_be_registered(client: MlflowClient, whole: Whole) -> None:
    stage.mlflow(whole.run / "report" / "results.json", whole.run)
    run = next(run for key, run in runs(client).items() if key != "whole")
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", "edge")
    assert (version.run_id, version.status) == (run.info.run_id, "READY")


def test_an_export_that_was_done_adds_nothing(
    client: MlflowClient, whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    path = whole.run / "report" / "results.json"
    stage.mlflow(path, None)
    before = runs(client)
    capsys.readouterr()
    stage.mlflow(path, None)
    assert capsys.readouterr().out.endswith("experiment whole: 0 runs written, 7 were there\n")
    # With the folder the same runs get what they lack.
    stage.mlflow(path, whole.run)
    after = runs(client)
    assert {key: run.info.run_id for key, run in after.items()} == {key: run.info.run_id for key, run in before.items()}
    for key, run in after.items():
        assert run.data.metrics == before[key].data.metrics
        for name in run.data.metrics:
            steps = [point.step for point in client.get_metric_history(run.info.run_id, name)]
            assert steps == list(range(len(steps))), name
        assert artifacts(client, run, "model") == set() if key == "whole" else {"model/MLmodel"}
    capsys.readouterr()
    stage.mlflow(path, None)
    assert capsys.readouterr().out.endswith("0 runs written, 7 were there\n")


def test_an_export_that_broke_off_goes_on(client: MlflowClient, whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    path = whole.run / "report" / "results.json"
    log, asked = MlflowClient.log_batch, []

    def breaking(*given: object, **named: object) -> object:
        asked.append(given)
        if len(asked) == 6:
            raise ConnectionError("the line went dead")
        return log(*given, **named)

    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "log_batch", breaking)
        with pytest.raises(EdgeproofError, match=r"the line went dead .the same command goes on where it stopped"):
            stage.mlflow(path, None)
    half = runs(client)
    assert 1 < len(half) < 7 and half["whole"].info.status == "RUNNING"
    stage.mlflow(path, None)
    found = runs(client)
    assert len(found) == 7 and {run.info.status for run in found.values()} == {"FINISHED"}
    assert all(found[key].info.run_id == run.info.run_id for key, run in half.items())


def test_other_results_are_other_runs(client: MlflowClient, whole: Whole, tmp_path: Path) -> None:
    path = whole.run / "report" / "results.json"
    stage.mlflow(path, None)
    results = read(path, Results)
    write_model(tmp_path / "later.json", results.model_copy(update={"title": "Later"}))
    stage.mlflow(tmp_path / "later.json", None)
    found = client.search_runs([client.get_experiment_by_name("whole").experiment_id])
    assert len(found) == 14 and len({run.data.tags[SHA] for run in found}) == 2
    with pytest.raises(NotComparableError, match="holds other results"):
        stage.mlflow(tmp_path / "later.json", whole.run)


def test_hostile_words_are_text_in_the_store(client: MlflowClient, tmp_path: Path) -> None:
    write_model(tmp_path / "results.json", hostile())
    stage.mlflow(tmp_path / "results.json", None)
    found = runs(client, "demo")
    assert len(found) == 6
    for run in found.values():
        assert run.info.run_name.isprintable()
        assert all(value.isprintable() for value in (*run.data.params.values(), *run.data.tags.values()))


def test_nothing_of_others_leaves_by_a_link(client: MlflowClient, whole: Whole, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole.run, run)
    (tmp_path / "secret").write_text("key", encoding="utf-8")
    (run / "report" / "summary.md").unlink()
    (run / "report" / "summary.md").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match=r"summary\.md leads out of"):
        stage.mlflow(run / "report" / "results.json", run)
    stored = [path for path in (tmp_path / "mlruns").rglob("*") if path.is_file()]
    assert stored and b"key" not in [path.read_bytes() for path in stored]


def test_a_file_that_the_results_are_not_of_is_refused(client: MlflowClient, whole: Whole, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole.run, run)
    described = run / "variants" / "v01" / "variant.json"
    text = json.loads(described.read_text(encoding="utf-8"))
    text["model"] = json.loads((run / "variants" / "v02" / "variant.json").read_text(encoding="utf-8"))["model"]
    described.write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(NotComparableError, match="the results are of"):
        stage.mlflow(run / "report" / "results.json", run)


def test_without_a_store_it_says_how_to_name_one(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(UsageError, match=r"MLFLOW_TRACKING_URI is not set .name a store: MLFLOW_TRACKING_URI=sqlite"):
        stage.mlflow(whole.run / "report" / "results.json", None)


class Refusing(BaseHTTPRequestHandler):
    """A server that tells whoever asks what they sent."""

    def do_GET(self) -> None:
        body = f"no such user: {self.headers.get('Authorization')} {self.path}".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("place", ["127.0.0.1:{port}", "127.0.0.1:9"])
def test_a_store_that_refuses_is_one_line_without_the_password(
    whole: Whole, port: int, place: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    there, path = place.format(port=port), whole.run / "report" / "results.json"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://somebody:s3cr%2Fet@{there}")
    with pytest.raises(EdgeproofError) as refused:
        stage.mlflow(path, None)
    words = str(refused.value)
    assert words.startswith(f"the MLflow store http://{there} did not take the export: ") and "\n" not in words
    assert "s3cr" not in words and "somebody" not in words
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{there}")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    with pytest.raises(EdgeproofError) as refused:
        stage.mlflow(path, None)
    assert "t0ken" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


WATCHED = """
import os, runpy, socket, sys
def refused(*asked, **named):
    print(f"asks the network: {asked}", flush=True)
    os._exit(9)
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refused
runpy.run_module("jobs.formats", run_name="__main__")
"""


def test_a_store_in_a_file_asks_no_network(client: MlflowClient, whole: Whole) -> None:
    """Not MLflow's own reports either, which it leaves out by itself in a test or in CI."""
    own = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_CURRENT_TEST"}}
    own = {name: value for name, value in own.items() if name not in {*QUIET, "GITHUB_ACTIONS", "PYTEST_VERSION"}}
    argv = [sys.executable, "-c", WATCHED, "mlflow", "--results", str(whole.run / "report" / "results.json")]
    done = subprocess.run(argv, cwd=ROOT, env=own, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.endswith("experiment whole: 7 runs written\n")
