"""Whether parts of a report belong together. Every refusal names both values."""

from collections import Counter
from collections.abc import Mapping, Sequence

from common.errors import UsageError
from common.schema.benchmark import Benchmark
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.experiment import Experiment
from common.schema.provenance import Artifact
from common.schema.results import Results
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


def check_variant(
    name: str, variant: Variant, experiment: Experiment, dataset_sha256: str, training_sha256: str
) -> None:
    """The variant is what the experiment asks for, from this dataset and training."""
    same(f"the name in the folder of variant {name}", variant.name, "the experiment's", name)
    recipe, wanted = variant.recipe.model_dump_json(), experiment.variants[name].model_dump_json()
    same(f"the recipe of variant {name}", recipe, "the experiment's", wanted)
    same(f"the dataset of variant {name}", used(variant, "dataset"), "the dataset given", dataset_sha256)
    same(f"the training of variant {name}", used(variant, "training"), "the training given", training_sha256)


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
    _no_repeats("target", [benchmark.target.name for benchmark in benchmarks])


def _no_repeats(what: str, values: Sequence[object]) -> None:
    repeated = [value for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise UsageError(f"{what} {repeated[0]} is given twice", hint="give each once")


def check_results(results: Results) -> None:
    """A results file, which may come from elsewhere, speaks of its own variants and classes only."""
    names = [variant.name for variant in results.variants]
    _no_repeats("variant", names)
    _no_repeats("target", [target.name for target in results.targets])
    _no_repeats("evaluation of", [evaluation.variant for evaluation in results.evaluations])
    _no_repeats("measurement", [(m.variant, m.target, m.backend, m.threads, m.runner) for m in results.measurements])
    for what, name in _mentioned(results):
        if name not in names:
            raise UsageError(f"{what} '{name}' is not among the variants {', '.join(names)}", hint="correct the file")
    for evaluation in results.evaluations:
        _check_shape(f"confusion of {evaluation.variant}", evaluation.confusion, evaluation.classes)
    _check_classes(results)


def _mentioned(results: Results) -> list[tuple[str, str]]:
    return [
        ("the reference", results.reference),
        *(("the measured variant", measurement.variant) for measurement in results.measurements),
        *(("the evaluated variant", evaluation.variant) for evaluation in results.evaluations),
        *(("the variant to choose", s.candidate.name) for s in (results.choice.standings if results.choice else ())),
    ]


def _check_shape(what: str, rows: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    for length in (len(rows), *(len(row) for row in rows)):
        same(f"the number of rows and columns in the {what}", length, "the number of classes", len(classes))


def _check_classes(results: Results) -> None:
    if (card := results.dataset) is not None:
        for split in (card.train, card.validation):
            same("the number of counts per class", len(split.per_class), "the number of classes", len(card.classes))
    if (training := results.training) is not None and training.class_weights is not None:
        weights = len(training.class_weights)
        same("the number of class weights", weights, "the number of classes", len(training.classes))
