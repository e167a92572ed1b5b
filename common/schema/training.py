"""`training.json`: what was trained, epoch by epoch. Version history: 1 first."""

from typing import Literal

from common.schema.base import Count, FileRef, Model
from common.schema.provenance import Artifact


class Epoch(Model):
    """One epoch; `epoch` counts from 1, and 0 is a saved model that was not trained. Losses in nats,
    accuracies as shares."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


class Training(Artifact):
    """`model` is the Keras HDF5 file of the best validation epoch, without optimiser state. `architecture` is
    the experiment's name or path of it; `images_per_s` is None when nothing was trained."""

    schema_version: Literal[1] = 1
    architecture: str
    parameters: Count
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    model: FileRef
    curves: FileRef
    epochs: tuple[Epoch, ...]
    best_epoch: int
    resumed_at: tuple[int, ...]
    class_weights: tuple[float, ...] | None
    imbalance: str
    device: str
    images_per_s: float | None
