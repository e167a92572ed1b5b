"""Training on after a pass changed the model, with the training's own data, loss and batch size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tf_keras

from common.augment import labelled
from common.batches import Batches
from common.networks.compiled import compile_whole
from common.schema.augmentation import Augmentation
from common.schema.fine_tuning import FineTuning


@dataclass(frozen=True)
class FineTuner:
    """What every fine-tuning of an experiment shares.

    `folder` is where the paths of model files start. One that does not train
    (`trains`) leaves weights as they are: what passes then make of a network has the layers that it would have.
    """

    batches: Batches
    classes: int
    loss: str
    class_weights: dict[int, float] | None
    folder: Path = Path()
    trains: bool = True

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one epoch."""
        return self.batches.steps

    def fit(self, model: Any, settings: FineTuning, callbacks: Sequence[Any] = ()) -> None:
        """Train `model` in place for the pass's epochs at its learning rate."""
        if not self.trains:
            return
        compile_whole(model, tf_keras.optimizers.Adam(settings.learning_rate), self.loss)
        model.fit(
            self.dataset(settings.epochs, settings.augmentation),
            steps_per_epoch=self.batches.steps,
            epochs=settings.epochs,
            class_weight=self.class_weights,
            callbacks=list(callbacks),
            verbose=0,
        )

    def dataset(self, epochs: int, augmentation: Augmentation) -> Any:
        """All epochs as tf.data: float32 [b, h, w, 3] in [0, 1], one-hot float32 [b, classes]."""
        return labelled(self.batches, range(epochs), augmentation, self.classes)
