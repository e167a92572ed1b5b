"""Writes runs into an MLflow store: the only place that MLflow is imported in.

A run is found again by the hash of its results file and its key, which are tags: an export that was done is not done
again, one that was broken off goes on. Nothing is sent anywhere but to the store: MLflow's telemetry is off.
"""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import EdgeproofError, UsageError
from jobs.formats.address import shown, without_secrets
from jobs.formats.files import Packed, check_run, files, model
from jobs.formats.runs import Export, Record

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

STORE, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
HASH, KEY, HOLDS = "edgeproof.results_sha256", "edgeproof.key", "edgeproof.holds"
BARE, WHOLE = "results", "results and files"
# What one request may hold.
MOST_METRICS, MOST_PAIRS = 1000, 100
# No report of its use, and no address with a password on the terminal; what is not given: no wait of minutes.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "60"}


@dataclass(frozen=True)
class Exported:
    """Where the runs are, and how many of them were written now, and were there."""

    store: str
    experiment: str
    written: int
    kept: int


def track(plan: Export, results: Path, digest: str, run: Path | None) -> Exported:
    """Bring the store that MLFLOW_TRACKING_URI names to hold the runs of `results`, a file with the sha256 `digest`;
    with `run`, the folder that they were made in, artifacts and models too. Raises EdgeproofError when it cannot."""
    uri = os.environ.get(STORE, "")
    if not uri:
        raise UsageError(f"{STORE} is not set", hint=f"name a store: {STORE}=sqlite:////path/to/mlflow.db, or a server")
    if run is not None:
        check_run(run, digest)
    with _worded(uri):
        client = _client(uri)
        name = os.environ.get(EXPERIMENT) or plan.experiment
        tracker = _Tracker(client, _experiment(client, name, uri), plan.at_ms, results, digest, run)
        written = tracker.write(plan)
    return Exported(shown(uri), name, written, 1 + len(plan.parts) - written)


@contextmanager
def _worded(uri: str) -> Iterator[None]:
    """What a store answers is one line without the secrets of its address."""
    try:
        yield
    except EdgeproofError:
        raise
    # A store's client raises what its database, its network and its clouds' libraries do.
    except Exception as error:
        if os.environ.get("EDGEPROOF_DEBUG"):
            raise
        secrets = [os.environ.get(name, "") for name in SECRETS]
        words = without_secrets(str(error).strip().partition("\n")[0], uri, secrets)
        hint = "the same command goes on where it stopped"
        raise EdgeproofError(f"the MLflow store {shown(uri)} did not take the export: {words}", hint=hint) from None


def _client(uri: str) -> "MlflowClient":
    os.environ.update(QUIET | {name: os.environ.get(name, value) for name, value in PATIENCE.items()})
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError:
        hint = "make export FORMAT=mlflow installs it; or pip install -r requirements/mlflow.txt"
        raise UsageError("MLflow is not installed", hint=hint) from None
    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(uri)


def _experiment(client: "MlflowClient", name: str, uri: str) -> str:
    """The id of an experiment, made where there is none. Raises UsageError for one that was deleted."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, artifact_location=_beside(uri)))
    if found.lifecycle_stage != "active":
        raise UsageError(f"the experiment {name} of the store was deleted", hint=f"restore it, or set {EXPERIMENT}")
    return str(found.experiment_id)


def _beside(uri: str) -> str | None:
    """Artifacts of a database file lie beside it, not where the command was called; a server has its own place."""
    kind, _, path = uri.partition(":///")
    if not kind.startswith("sqlite") or not path or path == ":memory:":
        return None
    return (Path(path.partition("?")[0]).resolve().parent / "mlruns").as_uri()


@dataclass(frozen=True)
class _Tracker:
    """The runs of one results file in one experiment of a store."""

    client: "MlflowClient"
    experiment: str
    at_ms: int
    results: Path
    digest: str
    run: Path | None

    def write(self, plan: Export) -> int:
        """Write what is not there yet; how many runs that were."""
        found = self._found()
        if self._done(found.get(plan.whole.key)):
            return 0
        whole = self._begun(plan.whole, found, {})
        written = 1
        for part in plan.parts:
            if not self._done(found.get(part.key)):
                self._fill(part, self._begun(part, found, {"mlflow.parentRunId": whole}))
                written += 1
        # Last, so that it stands for all of them.
        self._fill(plan.whole, whole)
        return written

    def _found(self) -> "dict[str, Run]":
        # Keys hold words from outside, which the filter's language would read.
        words, page = f"tags.`{HASH}` = '{self.digest}'", None
        found: dict[str, Run] = {}
        while True:
            runs = self.client.search_runs([self.experiment], words, max_results=1000, page_token=page)
            found |= {run.data.tags.get(KEY, ""): run for run in runs}
            page = runs.token
            if not page:
                return found

    def _done(self, found: "Run | None") -> bool:
        enough = (WHOLE,) if self.run is not None else (BARE, WHOLE)
        return found is not None and found.info.status == "FINISHED" and found.data.tags.get(HOLDS) in enough

    def _begun(self, record: Record, found: "dict[str, Run]", tags: dict[str, str]) -> str:
        if (run := found.get(record.key)) is not None:
            return str(run.info.run_id)
        own = {HASH: self.digest, KEY: record.key, "mlflow.source.name": "edgeproof", **tags}
        made = self.client.create_run(self.experiment, start_time=self.at_ms or None, tags=own, run_name=record.name)
        return str(made.info.run_id)

    def _fill(self, record: Record, run_id: str) -> None:
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(each.name, each.value, self.at_ms, each.step) for each in record.metrics]
        params = [Param(key, value) for key, value in record.params]
        tags = [RunTag(key, value) for key, value in record.tags]
        for start in range(0, len(metrics), MOST_METRICS):
            self.client.log_batch(run_id, metrics=metrics[start : start + MOST_METRICS])
        for start in range(0, max(len(params), len(tags)), MOST_PAIRS):
            end = start + MOST_PAIRS
            self.client.log_batch(run_id, params=params[start:end], tags=tags[start:end])
        if record.model is None:
            self.client.log_artifact(run_id, str(self.results))
        if self.run is not None:
            for path in files(self.run, record):
                self.client.log_artifact(run_id, str(path))
            if (packed := model(self.run, record)) is not None:
                self._log_model(packed, run_id)
        self.client.set_tag(run_id, HOLDS, BARE if self.run is None else WHOLE)
        self.client.set_terminated(run_id, end_time=self.at_ms or None)

    def _log_model(self, packed: Packed, run_id: str) -> None:
        from jobs.formats.mlmodel import described

        with tempfile.TemporaryDirectory() as folder:
            described(packed, run_id).save(str(Path(folder) / "MLmodel"))
            self.client.log_artifact(run_id, str(Path(folder) / "MLmodel"), "model")
        self.client.log_artifact(run_id, str(packed.path), "model")
