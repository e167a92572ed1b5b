"""The evaluate stage: one variant on the images that are reported on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.arrays import load
from common.artifact import atomic, file_ref, read, read_hashed, verified, write_model, writing
from common.dataset import CARD, read_split
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.provenance import Recorder
from common.schema.dataset import Dataset, Reported
from common.schema.evaluation import Evaluation, McNemar
from common.schema.provenance import Artifact
from common.schema.variant import Variant
from common.tflite.predict import predict
from jobs.evaluate import metrics

ARTIFACT = "evaluation.json"
PACKAGES = ("ai-edge-litert", "numpy")


def evaluate(
    experiment: LoadedExperiment, variant: Path, dataset: Path, reference: Path | None, output: Path
) -> Evaluation:
    """Evaluate the variant in folder `variant` and write `output`; `reference` is the evaluation of
    the variant that it is compared with (None for that variant itself).

    Raises UsageError for missing or unsuitable inputs, EdgeproofError when the file cannot be run.
    """
    recorder = Recorder("evaluate", experiment)
    card, dataset_sha256 = read_hashed(dataset / CARD, Dataset)
    made = read(variant / "variant.json", Variant)
    if made.recipe is not None:
        _require_same_dataset(made, variant, dataset_sha256)
    model = verified(variant, made.model)
    split = reported(experiment, card)
    images, labels = read_split(dataset, card, split)
    answers = len(labels), len(card.classes)
    keras = None if made.keras_outputs is None else load(variant, made.keras_outputs, np.float32, answers)
    compared = None if reference is None else _read_reference(reference, dataset_sha256, answers)
    inputs = (variant, dataset) if reference is None else (variant, dataset, reference)
    with writing(output, ARTIFACT, *inputs):
        outputs = _predict(model, made, images, card.classes)
        with atomic(output / "outputs.npy") as path, path.open("wb") as stream:
            np.save(stream, outputs)
        evaluation = Evaluation(
            provenance=recorder.finish({"dataset": dataset_sha256, "model": made.model.sha256}, PACKAGES),
            split=split,
            variant=made.name,
            model_sha256=made.model.sha256,
            classes=card.classes,
            **figures(outputs, labels, card.classes, keras, compared),
            outputs=file_ref(output / "outputs.npy", output),
        )
        write_model(output / ARTIFACT, evaluation)
    return evaluation


def reported(experiment: LoadedExperiment, card: Dataset) -> Reported:
    """The split whose figures are those of the run: of a search, while it chooses, the validation images."""
    return "validation" if experiment.settings.evaluate.part == "choose" else card.reported


Reference = tuple[str, npt.NDArray[np.float32]]


def figures(
    outputs: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int32],
    classes: tuple[str, ...],
    keras: npt.NDArray[np.float32] | None,
    compared: Reference | None,
) -> dict[str, Any]:
    """What an evaluation counts, by the names of its artifact: of the answers [n, classes] to images with these labels,
    beside those of the Keras model and of the reference, where there are any."""
    matrix = metrics.confusion(outputs, labels)
    return {
        "count": len(labels),
        "accuracy": metrics.accuracy(outputs, labels),
        "per_class": metrics.class_scores(matrix, classes, _compare_classes(outputs, compared, labels)),
        "roc_auc": metrics.roc_auc(outputs, labels),
        "confusion": matrix,
        "keras": None if keras is None else metrics.keras_agreement(outputs, keras),
        "mcnemar": _compare(outputs, compared, labels),
    }


def _require_same_dataset(made: Variant, folder: Path, dataset_sha256: str) -> None:
    used = _dataset(made)
    if used != dataset_sha256:
        message = f"{folder} was made from dataset {used[:12]}, not from {dataset_sha256[:12]}"
        raise UsageError(message, hint="name the dataset it was made from, or make it again")


def _dataset(made: Artifact) -> str:
    return next((item.sha256 for item in made.provenance.inputs if item.role == "dataset"), "unknown")


def _read_reference(folder: Path, dataset_sha256: str, answers: tuple[int, int]) -> Reference:
    evaluation = read(folder / ARTIFACT, Evaluation)
    used = _dataset(evaluation)
    if used != dataset_sha256:
        message = f"{folder} was evaluated on dataset {used[:12]}, not on {dataset_sha256[:12]}"
        raise UsageError(message, hint="evaluate both on the same dataset")
    return evaluation.variant, load(folder, evaluation.outputs, np.float32, answers)


def _predict(
    model: Path, made: Variant, images: npt.NDArray[np.uint8], classes: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Outputs float32 [n, classes], in the order of the data set's classes."""
    _require_images(model, made, images.shape[1:])
    outputs = predict(model, images, pixels=made.pixels)
    if outputs.ndim == 2 and (chosen := columns(made.labels, outputs.shape[1], classes)) is not None:  # noqa: PLR2004
        outputs = np.ascontiguousarray(outputs[:, chosen])
    if outputs.ndim != 2 or outputs.shape[1] != len(classes):  # noqa: PLR2004
        hint = "name the folders of the images as in the labels.txt inside the file" if made.recipe is None else None
        raise EdgeproofError(f"{model} gives outputs of shape {outputs.shape}, expected [n, {len(classes)}]", hint=hint)
    if not np.isfinite(outputs).all():
        raise EdgeproofError(f"{model} gives NaN or infinite outputs", hint="its conversion went wrong")
    return outputs


def columns(labels: Sequence[str], width: int, classes: Sequence[str]) -> list[int] | None:
    """Which outputs of a file with a label file are those of the data set's classes; None where it does not name them
    all, or has one output each in any order that nothing tells."""
    places = {label.strip().casefold(): place for place, label in enumerate(labels[:width])}
    found = [places.get(name.strip().casefold()) for name in classes]
    return [place for place in found if place is not None] if None not in found else None


def _fits(sides: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return all(side in (-1, other) for side, other in zip(sides, shape, strict=True))


def _require_images(model: Path, made: Variant, shape: tuple[int, ...]) -> None:
    ports = [port.open_shape or port.shape for port in made.inputs]
    if len(ports) == 1 and len(ports[0]) == len(shape) + 1 and _fits(ports[0][1:], shape):
        return
    taken = " and ".join(str(list(port)) for port in ports)
    hint = "set [data] height and width to the file's, or leave [data] out: then answers are compared"
    raise UsageError(f"{model} takes {taken}, but the images are {list(shape)}", hint=hint)


def _compare(
    outputs: npt.NDArray[np.float32], reference: Reference | None, labels: npt.NDArray[np.int32]
) -> McNemar | None:
    if reference is None:
        return None
    name, reference_outputs = reference
    return metrics.mcnemar(outputs, reference_outputs, labels, name)


def _compare_classes(
    outputs: npt.NDArray[np.float32], reference: Reference | None, labels: npt.NDArray[np.int32]
) -> tuple[McNemar, ...]:
    if reference is None:
        return ()
    name, reference_outputs = reference
    return metrics.class_mcnemar(outputs, reference_outputs, labels, name)
