"""Whether parts of a run belong together. Every refusal names both values. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from common.errors import UsageError
from common.schema.answers import Answers
from common.schema.benchmark import Benchmark
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.experiment import Choose, Experiment
from common.schema.given import Given
from common.schema.provenance import Artifact
from common.schema.recipe import Recipe
from common.schema.training import Training
from common.schema.variant import Variant

SHOWN = 12
MAKE_AGAIN = "make it again, or name the folders of one and the same run"


def same(what: str, value: object, beside: str, expected: object) -> None:
    """Raise UsageError unless both are equal."""
    if value != expected:
        message = f"{what} is {_short(value)}, but {beside} is {_short(expected)}"
        raise UsageError(message, hint=MAKE_AGAIN)


def _short(value: object) -> str:
    text = str(value)
    return text[:SHOWN] if len(text) == 64 and " " not in text else text  # noqa: PLR2004


def used(artifact: Artifact, role: str) -> str | None:
    """The sha256 of what an artifact was made from."""
    return next((item.sha256 for item in artifact.provenance.inputs if item.role == role), None)


def check_training(training: Training, dataset: Dataset, dataset_sha256: str) -> None:
    """The training is of this dataset."""
    same("the training's dataset", used(training, "dataset"), "the dataset given", dataset_sha256)
    same("the training's list of classes", training.classes, "the dataset's", dataset.classes)


def check_variant(name: str, variant: Variant, experiment: Experiment, inputs: Mapping[str, str]) -> None:
    """The variant is what the experiment asks for; a trained one from the dataset and training of `inputs`, which
    maps roles to hashes."""
    same(f"the name in the folder of variant {name}", variant.name, "the experiment's", name)
    making = variant.recipe or variant.given
    found, wanted = _written(making), _written(experiment.variants[name])
    same(f"the recipe of variant {name}", found, "the experiment's", wanted)
    if variant.recipe is None:
        return
    for role in ("dataset", "training"):
        given = inputs.get(role, "missing")
        same(f"the {role} of variant {name}", used(variant, role), f"the {role} given", given)


def _written(making: Recipe | Given | None) -> str:
    return "none" if making is None else making.model_dump_json(by_alias=True)


def check_answers(answers: Answers, variant: Variant, reference: str, samples_sha256: str) -> None:
    """The answers are of this variant's file, to these samples, beside the experiment's reference."""
    name = variant.name
    same(f"the variant in the evaluation of {name}", answers.variant, "the folder's", name)
    what = f"the model (sha256) in the evaluation of {name}"
    same(what, answers.model_sha256, "the variant's file", variant.model.sha256)
    same(f"the samples in the evaluation of {name}", used(answers, "samples"), "the samples given", samples_sha256)
    wanted = None if name == reference else reference
    same(f"the reference in the evaluation of {name}", answers.reference, "the experiment's", wanted)


def check_evaluation(evaluation: Evaluation, variant: Variant, reference: str, dataset_sha256: str) -> None:
    """The evaluation is of this variant's file, on this dataset, against the experiment's reference."""
    name = variant.name
    same(f"the variant in the evaluation of {name}", evaluation.variant, "the folder's", name)
    what = f"the model (sha256) in the evaluation of {name}"
    same(what, evaluation.model_sha256, "the variant's file", variant.model.sha256)
    same(f"the dataset in the evaluation of {name}", used(evaluation, "dataset"), "the dataset given", dataset_sha256)
    compared = None if evaluation.mcnemar is None else evaluation.mcnemar.reference
    wanted = None if name == reference else reference
    same(f"the reference in the evaluation of {name}", compared, "the experiment's", wanted)


def check_outputs(evaluation: Evaluation, outputs: npt.NDArray[np.float32]) -> None:
    """The answers (float32 [n, classes]) are those that the evaluation counted."""
    name, classes = evaluation.variant, len(evaluation.classes)
    check_confusion(evaluation)
    same(f"the shape of the answers of {name}", outputs.shape, "the evaluation's", (evaluation.count, classes))
    taken = tuple(int(count) for count in np.bincount(outputs.argmax(axis=1), minlength=classes))
    counted = tuple(sum(column) for column in zip(*evaluation.confusion, strict=True))
    same(f"the images that {name} takes for each class", taken, "the evaluation's count", counted)


def check_confusion(evaluation: Evaluation) -> None:
    """The confusion matrix is of the evaluation's classes."""
    what, classes = f"the number of rows and columns in the confusion of {evaluation.variant}", len(evaluation.classes)
    for length in (len(evaluation.confusion), *map(len, evaluation.confusion)):
        same(what, length, "the number of classes", classes)


def check_rules(rules: Choose, classes: Sequence[str]) -> None:
    """Margins are of classes that the dataset has."""
    unknown = [name for name in rules.classes if name not in classes]
    if unknown:
        raise UsageError(
            f"choose.classes names '{unknown[0]}', which is none of the dataset's classes: {', '.join(classes)}",
            hint="name a class as its folder is called",
        )


def check_benchmark(benchmark: Benchmark, variants: Sequence[Variant], reference: str) -> None:
    """The benchmark measured each of these files against the experiment's reference."""
    where = f"the benchmark on {benchmark.target.name}"
    same(f"the reference in {where}", benchmark.reference, "the experiment's", reference)
    for variant in variants:
        rows = [row for row in benchmark.rows if row.cell.variant == variant.name]
        if not rows:
            held = ", ".join(dict.fromkeys(row.cell.variant for row in benchmark.rows))
            raise UsageError(f"{where} holds no variant {variant.name}, only {held}", hint=MAKE_AGAIN)
        for row in rows:
            what = f"the model (sha256) of {variant.name} in {where}"
            same(what, row.cell.model_sha256, "the variant's file", variant.model.sha256)


def check_choice(choice: Choice, inputs: Mapping[str, str]) -> None:
    """The choice was made from the very artifacts of this report, given as hashes by role."""
    for item in choice.provenance.inputs:
        same(f"the {item.role} of the choice", item.sha256, "the one given", inputs.get(item.role, "missing"))


def check_targets(benchmarks: Sequence[Benchmark]) -> None:
    """No two benchmarks are of one target."""
    no_repeats("target", [benchmark.target.name for benchmark in benchmarks])


def no_repeats(what: str, values: Sequence[object]) -> None:
    """Raise UsageError where a value stands twice."""
    repeated = [value for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise UsageError(f"{what} {repeated[0]} is given twice", hint="give each once")
