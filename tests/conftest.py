"""Fixtures that several folders of tests use."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from common.artifact import read
from common.experiment import LoadedExperiment, load
from common.schema.evaluation import Evaluation
from common.schema.training import Training
from common.schema.variant import Variant
from tests.artifacts import write_dataset, write_experiment

# Where the tests run in the background of a shell, Ctrl-C is ignored, and the jobs that they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# And under nohup a terminal that is closed.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Tests start two hundred processes, and each would compile every module anew where a shell forbids to keep the result.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes says how busy the machine is; what must be fast has a bar of its own in processor time.
settings.register_profile("edgeproof", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("edgeproof")
# The first test that needs the chain makes it, and those of the other worker wait.
CHAIN_TIMEOUT_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time for the chain, where others share the machine."""
    for item in items:
        if "chain" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(CHAIN_TIMEOUT_S))


@dataclass(frozen=True)
class Chain:
    """A tiny experiment that really went through the stages up to the evaluation."""

    folder: Path
    experiment: LoadedExperiment
    training: Training
    variants: dict[str, Variant]
    evaluations: dict[str, Evaluation]

    def model(self, name: str) -> Path:
        """Path of a variant's .tflite."""
        return self.folder / "variants" / name / f"{name}.tflite"


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Train, optimise and evaluate once for all tests that only read, and for all workers. Takes about 20 s."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "chain"
    with FileLock(shared / "chain.lock"):
        if not folder.exists():
            _make_chain(shared / "chain.partial")
            (shared / "chain.partial").rename(folder)
    experiment = load(folder / "tiny.toml")
    names = tuple(experiment.settings.variants)
    return Chain(
        folder,
        experiment,
        read(folder / "train" / "training.json", Training),
        {name: read(folder / "variants" / name / "variant.json", Variant) for name in names},
        {name: read(folder / "evaluation" / name / "evaluation.json", Evaluation) for name in names},
    )


def _make_chain(folder: Path) -> None:
    from jobs.evaluate.stage import evaluate
    from jobs.optimize.stage import optimize
    from jobs.train.stage import train

    folder.mkdir()
    experiment = write_experiment(folder)
    write_dataset(folder / "dataset", experiment)
    train(experiment, folder / "dataset", folder / "train")
    for name in experiment.settings.variants:
        made = folder / "variants" / name
        optimize(experiment, name, folder / "dataset", folder / "train", made)
        reference = None if name == "baseline" else folder / "evaluation" / "baseline"
        evaluate(experiment, made, folder / "dataset", reference, folder / "evaluation" / name)
