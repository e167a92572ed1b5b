"""The train stage: one network on one dataset."""

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from common.artifact import atomic, file_ref, sha256_file, write_bytes, write_model, writing
from common.batches import Batches, class_weights
from common.dataset import CARD, read_card, read_split
from common.experiment import LoadedExperiment
from common.model_file import model_inputs
from common.networks import build
from common.provenance import Recorder
from common.schema.dataset import Dataset
from common.schema.training import Training
from jobs.train.curves import curves_svg
from jobs.train.fit import Labelled, Progress, Trainer, as_it_is, best_of, compile_model, make_deterministic
from jobs.train.look import look

ARTIFACT = "training.json"
PACKAGES = ("tensorflow", "tf-keras", "h5py", "markupsafe", "numpy")


def train(experiment: LoadedExperiment, dataset: Path, output: Path) -> Training:
    """Train the experiment's network on `dataset` and write `output`.

    Raises UsageError when the dataset is missing or damaged or the user's own model does not fit it,
    TryLaterError when another job writes there.
    """
    recorder = Recorder("train", experiment)
    card = read_card(dataset)
    settings = experiment.settings
    images, labels = read_split(dataset, card, "train")
    validation = Labelled(*read_split(dataset, card, "validation"))
    make_deterministic(settings.seed, settings.train.deterministic)
    batches = Batches(images, labels, settings.train.batch_size, settings.seed)
    model = build(settings.model, (card.height, card.width, 3), len(card.classes), experiment.folder)
    # Drawing what a student starts from changes nothing that this network draws from: it has its own by now.
    look(experiment, model, images, batches.steps, len(card.classes))
    weights = class_weights(card.train.per_class) if settings.train.class_weights == "balanced" else None
    with writing(output, ARTIFACT, dataset):
        key = training_key(experiment, card)
        if settings.train.epochs == 0:
            progress = as_it_is(model, settings.train, Labelled(images, labels), validation, key)
        else:
            compile_model(model, settings.train, batches.steps)
            progress = Trainer(model, settings.train, output, key).run(batches, validation, weights)
        with atomic(output / "model.h5") as path, warnings.catch_warnings():
            # Keras calls HDF5 legacy, but a quantisation-aware .keras file cannot be loaded again.
            warnings.filterwarnings("ignore", message="You are saving your model as an HDF5")
            model.save(path, save_format="h5", include_optimizer=False)
        write_bytes(output / "curves.svg", curves_svg(progress.epochs, best_of(progress.epochs).epoch).encode())
        inputs = {"dataset": sha256_file(dataset / CARD)} | model_inputs("model", settings.model, experiment.folder)
        training = Training(
            provenance=recorder.finish(inputs, PACKAGES),
            model=file_ref(output / "model.h5", output),
            curves=file_ref(output / "curves.svg", output),
            class_weights=None if weights is None else tuple(weights.values()),
            architecture=settings.model.architecture,
            **_figures(model, card, progress),
        )
        write_model(output / ARTIFACT, training)
    return training


def _figures(model: Any, card: Dataset, progress: Progress) -> dict[str, Any]:
    seconds = sorted(epoch.seconds for epoch in progress.epochs if epoch.epoch)
    return {
        "parameters": model.count_params(),
        "classes": card.classes,
        "input_shape": (card.height, card.width, 3),
        "epochs": progress.epochs,
        "best_epoch": best_of(progress.epochs).epoch,
        "resumed_at": progress.resumed_at,
        "imbalance": describe_imbalance(card),
        "device": _device(),
        # The median epoch: the first one holds the tracing of the graph.
        "images_per_s": card.train.count / seconds[len(seconds) // 2] if seconds else None,
    }


def describe_imbalance(card: Dataset) -> str:
    """One sentence with the training counts per class."""
    counts = ", ".join(f"{name}: {count}" for name, count in zip(card.classes, card.train.per_class, strict=True))
    ratio = max(card.train.per_class) / min(card.train.per_class)
    return f"training images per class {counts}; the largest class has {ratio:.2f} times the smallest"


def training_key(experiment: LoadedExperiment, card: Dataset) -> str:
    """Everything that the course of training depends on; the same key may resume a checkpoint."""
    settings = experiment.settings
    parts = {
        "model": settings.model.model_dump() | model_inputs("sha256", settings.model, experiment.folder),
        "train": settings.train.model_dump(),
        "seed": settings.seed,
        "images": card.train.images.sha256,
        "labels": card.train.labels.sha256,
        "validation": card.validation.images.sha256,
        "versions": [tf.__version__, np.__version__],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _device() -> str:
    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return "CPU"
    details = tf.config.experimental.get_device_details(devices[0])
    return str(details.get("device_name", "GPU"))
