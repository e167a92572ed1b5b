"""Fixtures that several folders of tests use."""

import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.experiment import LoadedExperiment
from common.schema.evaluation import Evaluation
from common.schema.training import Training
from common.schema.variant import Variant
from tests.artifacts import write_dataset, write_experiment

# Where the tests run in the background of a shell, Ctrl-C is ignored, and the jobs that they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """Train, optimise and evaluate once for all tests that only read. Takes about 20 s."""
    from jobs.evaluate.stage import evaluate
    from jobs.optimize.stage import optimize
    from jobs.train.stage import train

    folder = tmp_path_factory.mktemp("chain")
    experiment = write_experiment(folder)
    write_dataset(folder / "dataset", experiment)
    training = train(experiment, folder / "dataset", folder / "train")
    variants, evaluations = {}, {}
    for name in experiment.settings.variants:
        made = folder / "variants" / name
        variants[name] = optimize(experiment, name, folder / "dataset", folder / "train", made)
        reference = None if name == "baseline" else folder / "evaluation" / "baseline"
        evaluations[name] = evaluate(experiment, made, folder / "dataset", reference, folder / "evaluation" / name)
    return Chain(folder, experiment, training, variants, evaluations)
