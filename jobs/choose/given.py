"""What the choice is made from: read, and checked to be of one run."""

from dataclasses import dataclass
from pathlib import Path

from common.artifact import read, sha256_file
from common.dataset import CARD, read_card
from common.errors import UsageError
from common.schema.benchmark import Benchmark
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.experiment import Experiment
from common.schema.provenance import Artifact
from common.schema.training import Training
from common.schema.variant import Variant

SHOWN = 12


@dataclass(frozen=True)
class Folders:
    """What the other stages wrote. `variants` and `evaluations` hold a folder per variant."""

    dataset: Path
    training: Path
    variants: Path
    evaluations: Path
    benchmark: Path


@dataclass(frozen=True)
class Given:
    """The artifacts, `variants` and `evaluations` in the experiment's order; `inputs` maps roles, which are
    the report's too, to hashes."""

    dataset: Dataset
    training: Training
    variants: tuple[Variant, ...]
    evaluations: tuple[Evaluation, ...]
    benchmark: Benchmark
    inputs: dict[str, str]


def read_given(experiment: Experiment, folders: Folders) -> Given:
    """Read every artifact. Raises UsageError when one is missing or of another run."""
    names = tuple(experiment.variants)
    benchmark = read(folders.benchmark / "benchmark.json", Benchmark)
    given = Given(
        dataset=read_card(folders.dataset),
        training=read(folders.training / "training.json", Training),
        variants=tuple(read(folders.variants / name / "variant.json", Variant) for name in names),
        evaluations=tuple(read(folders.evaluations / name / "evaluation.json", Evaluation) for name in names),
        benchmark=benchmark,
        inputs=_hashes(names, folders, benchmark.target.name),
    )
    _require_same("the benchmark's reference", benchmark.reference, experiment.reference)
    for name, variant, evaluation in zip(names, given.variants, given.evaluations, strict=True):
        _require_one_run(name, variant, evaluation, given)
        compared = experiment.reference if evaluation.mcnemar is None else evaluation.mcnemar.reference
        _require_same(f"the reference in the evaluation of {name}", compared, experiment.reference)
    return given


def _require_one_run(name: str, variant: Variant, evaluation: Evaluation, given: Given) -> None:
    dataset, model = given.inputs["dataset"], variant.model.sha256
    measured = {row.cell.variant: row.cell.model_sha256 for row in given.benchmark.rows}
    _require_same(f"the dataset of variant {name}", _used(variant, "dataset"), dataset)
    _require_same(f"the training of variant {name}", _used(variant, "training"), given.inputs["training"])
    _require_same(f"the dataset in the evaluation of {name}", _used(evaluation, "dataset"), dataset)
    _require_same(f"the model in the evaluation of {name}", evaluation.model_sha256, model)
    _require_same(f"the model of {name} in the benchmark", measured.get(name), model)


def _used(artifact: Artifact, role: str) -> str | None:
    return next((item.sha256 for item in artifact.provenance.inputs if item.role == role), None)


def _require_same(what: str, found: str | None, expected: str) -> None:
    if found != expected:
        shown = "missing" if found is None else found[:SHOWN]
        hint = "make it again, or name the folders of one and the same run"
        raise UsageError(f"{what} is {shown}, not {expected[:SHOWN]}", hint=hint)


def _hashes(names: tuple[str, ...], folders: Folders, target: str) -> dict[str, str]:
    hashes = {
        "dataset": sha256_file(folders.dataset / CARD),
        "training": sha256_file(folders.training / "training.json"),
    }
    for name in names:
        hashes[f"variant {name}"] = sha256_file(folders.variants / name / "variant.json")
        hashes[f"evaluation {name}"] = sha256_file(folders.evaluations / name / "evaluation.json")
    return hashes | {f"benchmark {target}": sha256_file(folders.benchmark / "benchmark.json")}
