"""The optimize stage: one recipe, one .tflite file, and the proof of what is in it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from common.artifact import atomic, file_ref, read_hashed, verified, write_bytes, write_model, writing
from common.batches import Batches, class_weights
from common.dataset import CARD, read_split
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.model_file import model_inputs
from common.networks import build_student
from common.networks.convert import convert, layer_names, quantization
from common.networks.recipes import require_fits
from common.networks.saved import load_saved
from common.npu_sdk import require
from common.promises import require_kept
from common.provenance import Recorder
from common.schema.dataset import Dataset
from common.schema.recipe import QuantizeAware, Recipe
from common.schema.training import Training
from common.schema.variant import PassReport, Promise, Variant
from common.tflite.aot import write_compiled
from common.tflite.delegated import asked
from common.tflite.formats import formats
from common.tflite.predict import predict
from common.tflite.reader import Inspection, inspect
from jobs.optimize.aware_file import aware_file
from jobs.optimize.collapse import accuracy_kept, validated
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.passed import keras_outputs, run_passes
from jobs.optimize.promises import advice, check

ARTIFACT = "variant.json"
PACKAGES = (
    *("tensorflow", "tf-keras", "h5py", "tensorflow-model-optimization", "litert-quantizer", "ai-edge-litert"),
    *("numpy", "scipy"),
)


@dataclass(frozen=True)
class Made:
    """A recipe's file, the Keras model that it was converted from, what the passes did, and what was promised."""

    model: Any
    content: bytes
    inspection: Inspection
    reports: tuple[PassReport, ...]
    promises: tuple[Promise, ...]


def optimize(experiment: LoadedExperiment, name: str, dataset: Path, training: Path, output: Path) -> Variant:
    """Make variant `name` from a trained model and write `output`.

    Raises UsageError for an unknown variant or inputs that do not belong together, EdgeproofError
    when the file does not keep what the recipe promises.
    """
    recorder = Recorder("optimize", experiment)
    recipe = _recipe(experiment, name)
    require([] if recipe.convert.npu is None else [recipe.convert.npu])
    card, dataset_sha256 = read_hashed(dataset / CARD, Dataset)
    trained, training_sha256 = _read_training(training, dataset, dataset_sha256)
    student = _student(experiment, recipe, card)
    # Seeds everything, so that what looked at the student has changed nothing.
    model = _load(verified(training, trained.model), experiment)
    tuner = _tuner(experiment, dataset, card)
    # The recipe may be newer than the training, which looked at those that there were.
    require_fits(recipe, model, student, tuner.steps_per_epoch)
    validation, labels = read_split(dataset, card, "validation")
    before = keras_outputs(model, validation)
    with writing(output, ARTIFACT, dataset, training):
        made = make(model, recipe, tuner)
        content, inspection = made.content, made.inspection
        after = predict(content, validation)
        promises = (*made.promises, *([accuracy_kept(labels, before, after)] if recipe.fine_tune else ()))
        require_kept(name, promises, advice(promises))
        write_bytes(output / f"{name}.tflite", content)
        inspection = asked(output / f"{name}.tflite", content, inspection)
        with atomic(output / "keras_outputs.npy") as path, path.open("wb") as stream:
            np.save(stream, keras_outputs(made.model, read_split(dataset, card, card.reported)[0]))
        inputs = {"dataset": dataset_sha256, "training": training_sha256}
        if recipe.student is not None:
            inputs |= model_inputs("student", recipe.student, experiment.folder)
        variant = Variant(
            provenance=recorder.finish(inputs, PACKAGES),
            name=name,
            recipe=recipe,
            classes=card.classes,
            model=file_ref(output / f"{name}.tflite", output),
            deflated_bytes=inspection.proof.deflated_bytes,
            keras_outputs=file_ref(output / "keras_outputs.npy", output),
            passes=made.reports,
            inputs=inspection.inputs,
            outputs=inspection.outputs,
            operators=inspection.operators,
            tensors=inspection.tensors,
            promises=promises,
            validation=validated(labels, before, after),
            proof=inspection.proof,
            compiled=write_compiled(content, recipe.convert.npu, name, output),
        )
        write_model(output / ARTIFACT, variant)
    return variant


def make(model: Any, recipe: Recipe, tuner: FineTuner) -> Made:
    """What a recipe makes of a trained model, with every promise but that of its accuracy. Raises EdgeproofError where
    a pass or the converter does not take the network."""
    tuner = replace(tuner, trains=recipe.fine_tune)
    # The file of quantize_aware is that of an int8 conversion, with ranges that training finds.
    idle = () if recipe.fine_tune else tuple(one for one in recipe.passes if isinstance(one, QuantizeAware))
    wanted = tuple(one for one in recipe.passes if one not in idle)
    passed, images = run_passes(model, wanted, tuner), tuner.batches.images
    if not passed.aware:
        content = convert(passed.model, recipe.convert, images)
        inspection = inspect(content)
        reports = (*passed.reports, *(PassReport(name=one.name, layers=()) for one in idle))
        form = quantization(recipe.convert, content, layer_names(passed.model))
        if form is not None:
            reports = (*reports, formats(form, inspection))
        promises = check(recipe, passed.expected, inspection, wanted=form)
        return Made(passed.model, content, inspection, reports, promises)
    file = aware_file(passed.model, passed.before, passed.aware, recipe.convert, images)
    # What the last pass, which it is, says of its layers is what the file holds of them.
    *others, last = passed.reports
    reports = (*others, last.model_copy(update={"layers": (*last.layers, *file.notes)}))
    promises = check(recipe, passed.expected, file.inspection, file.held)
    return Made(passed.model, file.content, file.inspection, reports, promises)


def _recipe(experiment: LoadedExperiment, name: str) -> Recipe:
    recipes = experiment.settings.recipes
    if name not in recipes:
        raise UsageError(f"unknown variant '{name}'", hint=f"the experiment has {', '.join(recipes)}")
    return recipes[name]


def _read_training(training: Path, dataset: Path, dataset_sha256: str) -> tuple[Training, str]:
    trained, digest = read_hashed(training / "training.json", Training)
    if not any((item.role, item.sha256) == ("dataset", dataset_sha256) for item in trained.provenance.inputs):
        message = f"{training} was trained on another dataset than {dataset}"
        raise UsageError(message, hint="train again or name the dataset it was trained on")
    return trained, digest


def _student(experiment: LoadedExperiment, recipe: Recipe, card: Dataset) -> Any | None:
    if recipe.student is None:
        return None
    return build_student(recipe.student, (card.height, card.width, 3), len(card.classes), experiment.folder)


def _load(path: Path, experiment: LoadedExperiment) -> Any:
    tf_keras.utils.set_random_seed(experiment.settings.seed)
    if experiment.settings.train.deterministic:
        tf.config.experimental.enable_op_determinism()
    # Its hash says only that this is the file that training.json names; both may be somebody else's.
    return load_saved(path)


def _tuner(experiment: LoadedExperiment, dataset: Path, card: Dataset) -> FineTuner:
    train = experiment.settings.train
    images, labels = read_split(dataset, card, "train")
    return FineTuner(
        batches=Batches(images, labels, train.batch_size, experiment.settings.seed),
        classes=len(card.classes),
        loss=train.loss,
        class_weights=class_weights(card.train.per_class) if train.class_weights == "balanced" else None,
        folder=experiment.folder,
    )
