"""The training loop: one `fit` per epoch, a checkpoint after each, the best validation epoch kept."""

import errno
import os
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras
from pydantic import Field

from common.artifact import atomic, open_plain, own_folder, read, write_model
from common.augment import labelled
from common.batches import Batches
from common.errors import UsageError
from common.networks.compiled import compile_whole
from common.schema.base import Model
from common.schema.experiment import Train
from common.schema.training import Epoch

PREFETCH = 2
# A kill between two files of a checkpoint must leave the one before it whole.
CHECKPOINTS_KEPT = 2


class Progress(Model):
    """`progress.json`: what the checkpoint beside it stands for. `key` names everything that
    training depends on; another key means another training."""

    key: str
    checkpoint: Annotated[str, Field(pattern=r"^(ckpt-[0-9]{1,9})?$")]
    epochs: tuple[Epoch, ...]
    resumed_at: tuple[int, ...]


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [n, h, w, 3] and labels int32 [n]."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]


def best_of(epochs: tuple[Epoch, ...]) -> Epoch:
    """Highest validation accuracy, then lowest validation loss, then the earliest."""
    return min(epochs, key=lambda epoch: (-epoch.val_accuracy, epoch.val_loss, epoch.epoch))


def make_deterministic(seed: int, deterministic: bool) -> None:
    """Seed everything; with `deterministic`, two runs on one kind of machine give the same bytes."""
    # Layers are numbered on from whatever this process built before, and their names are in the file.
    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(seed)
    # Dropout then draws from a variable that a checkpoint holds, so that a resumed run draws on.
    tf_keras.backend.experimental.enable_tf_random_generator()
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def compile_model(model: Any, train: Train, steps: int) -> None:
    """Give the model Adam with the schedule, and the loss."""
    rate: Any = train.learning_rate
    if train.schedule == "cosine":
        rate = tf_keras.optimizers.schedules.CosineDecay(train.learning_rate, train.epochs * steps)
    compile_whole(model, tf_keras.optimizers.Adam(rate), train.loss)


def as_it_is(model: Any, train: Train, training: Labelled, validation: Labelled, key: str) -> Progress:
    """No training: the figures of the model as it came, as epoch 0."""
    model.compile(loss=train.loss, metrics=["accuracy"])
    classes = model.output_shape[-1]
    start = time.perf_counter()
    loss, accuracy = evaluate(model, training, classes, train.batch_size)
    seconds = time.perf_counter() - start
    val_loss, val_accuracy = evaluate(model, validation, classes, train.batch_size)
    epoch = Epoch(
        epoch=0,
        loss=loss,
        accuracy=accuracy,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        learning_rate=0.0,
        seconds=seconds,
    )
    return Progress(key=key, checkpoint="", epochs=(epoch,), resumed_at=())


class Trainer:
    """Trains `model` in `folder`, going on from a checkpoint of the same `key`."""

    def __init__(self, model: Any, train: Train, folder: Path, key: str) -> None:
        self._model, self._train, self._folder, self._key = model, train, folder, key
        self._checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer, dropout=_generators(model))
        own_folder(folder / "checkpoints")
        _require_own(folder / "checkpoints")
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(folder / "checkpoints"), max_to_keep=CHECKPOINTS_KEPT
        )

    def run(self, batches: Batches, validation: Labelled, weights: dict[int, float] | None) -> Progress:
        """Train to the last epoch and leave the best epoch's weights in the model."""
        progress = self._resume()
        classes = self._model.output_shape[-1]
        for number in range(len(progress.epochs) + 1, self._train.epochs + 1):
            epoch = self._epoch(number, batches, validation, weights, classes)
            epochs = (*progress.epochs, epoch)
            if best_of(epochs) is epoch:
                with atomic(self._folder / "best.npz") as path, path.open("wb") as stream:
                    np.savez(stream, *self._model.get_weights())
            progress = progress.model_copy(update={"epochs": epochs, "checkpoint": self._save(number)})
            write_model(self._folder / "progress.json", progress)
        self._restore_best()
        return progress

    def _restore_best(self) -> None:
        path = self._folder / "best.npz"
        try:
            with open_plain(path) as stream:
                # `savez` compresses nothing: what unpacks to more is not its own.
                members = zipfile.ZipFile(stream).infolist()
                if sum(member.file_size for member in members) > path.stat().st_size:
                    raise ValueError("it is compressed")
                with np.load(stream) as best:
                    self._model.set_weights([best[name] for name in best.files])
        except (ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(f"{path} is damaged: {error}", hint=f"remove {self._folder}") from None

    def _save(self, number: int) -> str:
        """The name of the epoch's checkpoint. Raises OSError when the disk is full."""
        try:
            return Path(self._manager.save(checkpoint_number=number)).name
        except tf.errors.ResourceExhaustedError:
            # TensorFlow's word for ENOSPC; saving has nothing else that could be exhausted.
            folder = str(self._folder / "checkpoints")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder) from None

    def _epoch(
        self, number: int, batches: Batches, validation: Labelled, weights: dict[int, float] | None, classes: int
    ) -> Epoch:
        start = time.perf_counter()
        fitted = self._model.fit(
            labelled(batches, range(number, number + 1), self._train.augmentation, classes),
            steps_per_epoch=batches.steps,
            class_weight=weights,
            verbose=0,
        )
        seconds = time.perf_counter() - start
        val_loss, val_accuracy = evaluate(self._model, validation, classes, batches.batch_size)
        epoch = Epoch(
            epoch=number,
            loss=fitted.history["loss"][0],
            accuracy=fitted.history["accuracy"][0],
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=float(self._model.optimizer.learning_rate),
            seconds=seconds,
        )
        _print_epoch(epoch, self._train.epochs, len(batches.labels))
        return epoch

    def _resume(self) -> Progress:
        fresh = Progress(key=self._key, checkpoint="", epochs=(), resumed_at=())
        try:
            saved = read(self._folder / "progress.json", Progress)
        except UsageError:
            return fresh
        prefix = self._folder / "checkpoints" / saved.checkpoint
        if saved.key != self._key or not prefix.with_name(prefix.name + ".index").exists():
            return fresh
        try:
            self._checkpoint.restore(str(prefix)).expect_partial()
        except (tf.errors.OpError, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise UsageError(f"{prefix} is damaged: {why}", hint=f"remove {self._folder}") from None
        if len(saved.epochs) == self._train.epochs:
            return saved
        print(f"note: going on after epoch {len(saved.epochs)} of {self._train.epochs}", flush=True)
        return saved.model_copy(update={"resumed_at": (*saved.resumed_at, len(saved.epochs) + 1)})


def evaluate(model: Any, validation: Labelled, classes: int, batch_size: int) -> tuple[float, float]:
    """Mean loss in nats and accuracy on the validation set."""
    signature = (
        tf.TensorSpec((None, *validation.images.shape[1:]), tf.float32),
        tf.TensorSpec((None, classes), tf.float32),
    )
    one_hot = np.eye(classes, dtype=np.float32)

    def batches() -> Any:
        for start in range(0, len(validation.labels), batch_size):
            rows = slice(start, start + batch_size)
            yield np.float32(validation.images[rows]) / np.float32(255), one_hot[validation.labels[rows]]

    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(PREFETCH)
    loss, accuracy = model.evaluate(dataset, verbose=0)
    return float(loss), float(accuracy)


def _require_own(folder: Path) -> None:
    """Raise UsageError where the list of checkpoints names others: the manager deletes the oldest of them."""
    state = tf.train.get_checkpoint_state(str(folder))
    for path in () if state is None else state.all_model_checkpoint_paths:
        if Path(path).parent != folder:
            raise UsageError(
                f"{folder / 'checkpoint'} names {path}", hint=f"remove {folder}: it is not of this training"
            )


def _generators(model: Any) -> list[Any]:
    # Keras keeps the state of dropout's generators out of checkpoints; a resumed run would draw
    # the masks of the first epoch again.
    parts = (part for layer in model.layers for part in (layer, *layer.submodules))
    randoms = [random for part in parts if (random := getattr(part, "_random_generator", None)) is not None]
    for random in randoms:
        # Some make theirs in the first step of training.
        random._maybe_init()
    return [random._generator for random in randoms]


def _print_epoch(epoch: Epoch, total: int, images: int) -> None:
    print(
        f"epoch {epoch.epoch}/{total}  loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.4f}  "
        f"val_loss {epoch.val_loss:.4f}  val_accuracy {epoch.val_accuracy:.4f}  "
        f"{epoch.seconds:.1f} s  {images / epoch.seconds:.0f} images/s",
        flush=True,
    )
