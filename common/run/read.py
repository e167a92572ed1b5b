"""A finished run, read from the folders of its stages, hashed and checked to be one run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.arrays import load
from common.artifact import read_hashed, verified
from common.dataset import CARD
from common.experiment import LoadedExperiment
from common.run import checks
from common.run.judge import Evidence, Subject
from common.run.ledger import check_ledger, foreign_sessions
from common.run.speed import Target
from common.schema.answers import Answers
from common.schema.benchmark import Benchmark
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.inputs import Samples
from common.schema.provenance import Artifact
from common.schema.training import Training
from common.schema.variant import Variant

BENCHMARK, TRAINING, VARIANT, EVALUATION = "benchmark.json", "training.json", "variant.json", "evaluation.json"
SAMPLES = "inputs.json"


@dataclass(frozen=True)
class Folders:
    """What the stages wrote. `variants` and `evaluations` hold a folder per variant; the first of `benchmarks`
    decides. There is either a `dataset` or `samples`, and no `training` where nothing was trained."""

    dataset: Path | None
    training: Path | None
    variants: Path
    evaluations: Path
    benchmarks: tuple[Path, ...]
    samples: Path | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Every folder that is read."""
        found = (self.dataset, self.samples, self.training, self.variants, self.evaluations, *self.benchmarks)
        return tuple(folder for folder in found if folder is not None)


@dataclass(frozen=True)
class Run:
    """The artifacts, variants in the experiment's order; `inputs` maps their roles to hashes.

    `training` is None where the files were not trained here, `dataset` where no images are: then there are `samples`,
    and answers in place of evaluations.
    """

    experiment: LoadedExperiment
    dataset: Dataset | None
    samples: Samples | None
    training: Training | None
    subjects: tuple[Subject, ...]
    targets: tuple[Target, ...]
    inputs: dict[str, str]

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Every variant."""
        return tuple(subject.variant for subject in self.subjects)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Every evaluation that there is."""
        return tuple(subject.evaluation for subject in self.subjects if subject.evaluation is not None)

    @property
    def answers(self) -> tuple[Answers, ...]:
        """Every variant's answers where there are no labels."""
        return tuple(subject.answers for subject in self.subjects if subject.answers is not None)

    @property
    def benchmarks(self) -> tuple[Benchmark, ...]:
        """Every target's benchmark."""
        return tuple(target.benchmark for target in self.targets)

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Every artifact, in the order of the stages."""
        found = (self.dataset, self.samples, self.training, *self.variants, *self.evaluations, *self.answers)
        return tuple(artifact for artifact in (*found, *self.benchmarks) if artifact is not None)

    @property
    def evidence(self) -> Evidence:
        """What the judge is given."""
        settings = self.experiment.settings
        return Evidence(settings.reference, self.subjects, self.targets, settings.choose, settings.evaluate.tolerance)


def read_run(experiment: LoadedExperiment, folders: Folders) -> Run:
    """Read every artifact once. Raises UsageError when one is missing, damaged, changed, or of another run."""
    settings = experiment.settings
    inputs: dict[str, str] = {}
    dataset = samples = training = None
    if folders.dataset is not None:
        dataset, inputs["dataset"] = read_hashed(folders.dataset / CARD, Dataset)
        checks.check_rules(settings.choose, dataset.classes)
    if folders.samples is not None:
        samples, inputs["samples"] = read_hashed(folders.samples / SAMPLES, Samples)
    if folders.training is not None and dataset is not None:
        training, inputs["training"] = read_hashed(folders.training / TRAINING, Training)
        checks.check_training(training, dataset, inputs["dataset"])
    subjects = tuple(_subject(experiment, name, folders, inputs) for name in settings.variants)
    variants = [subject.variant for subject in subjects]
    targets = tuple(_target(folder, variants, settings.reference, inputs) for folder in folders.benchmarks)
    checks.check_targets([target.benchmark for target in targets])
    return Run(experiment, dataset, samples, training, subjects, targets, inputs)


def _subject(experiment: LoadedExperiment, name: str, folders: Folders, inputs: dict[str, str]) -> Subject:
    """A variant and its evaluation; their hashes are added to `inputs`."""
    made, looked = folders.variants / name, folders.evaluations / name
    variant, inputs[f"variant {name}"] = read_hashed(made / VARIANT, Variant)
    checks.check_variant(name, variant, experiment.settings, inputs)
    verified(made, variant.model)
    if folders.dataset is None:
        answers, inputs[f"evaluation {name}"] = read_hashed(looked / EVALUATION, Answers)
        checks.check_answers(answers, variant, experiment.settings.reference, inputs["samples"])
        verified(looked, answers.outputs)
        return Subject(variant, None, answers, finite=answers.finite, constant=answers.constant)
    evaluation, inputs[f"evaluation {name}"] = read_hashed(looked / EVALUATION, Evaluation)
    checks.check_evaluation(evaluation, variant, experiment.settings.reference, inputs["dataset"])
    outputs = load(looked, evaluation.outputs, np.float32, (evaluation.count, len(evaluation.classes)))
    finite = bool(np.isfinite(outputs).all())
    if finite:
        checks.check_outputs(evaluation, outputs)
    constant = len(outputs) > 1 and bool((outputs == outputs[:1]).all())
    return Subject(variant, evaluation, None, finite=finite, constant=constant)


def _target(folder: Path, variants: Sequence[Variant], reference: str, inputs: dict[str, str]) -> Target:
    benchmark, digest = read_hashed(folder / BENCHMARK, Benchmark)
    checks.check_benchmark(benchmark, variants, reference)
    inputs[f"benchmark {benchmark.target.name}"] = digest
    lines = check_ledger(benchmark, verified(folder, benchmark.ledger))
    return Target(benchmark, foreign_sessions(benchmark, lines), lines)
