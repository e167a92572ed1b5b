"""Training on after a pass changed the model, with the training's own data, loss and batch size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras

from common.batches import Batches
from common.schema.recipe import FineTuning


@dataclass(frozen=True)
class FineTuner:
    """What every fine-tuning of an experiment shares. Images are not augmented, as in the original."""

    batches: Batches
    classes: int
    loss: str
    class_weights: dict[int, float] | None

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one epoch."""
        return self.batches.steps

    def fit(self, model: Any, settings: FineTuning, callbacks: Sequence[Any] = ()) -> None:
        """Train `model` in place for the pass's epochs at its learning rate."""
        model.compile(tf_keras.optimizers.Adam(settings.learning_rate), self.loss, metrics=["accuracy"])
        model.fit(
            self._dataset(settings.epochs),
            steps_per_epoch=self.batches.steps,
            epochs=settings.epochs,
            class_weight=self.class_weights,
            callbacks=list(callbacks),
            verbose=0,
        )

    def _dataset(self, epochs: int) -> Any:
        def generate() -> Any:
            for epoch in range(epochs):
                yield from self.batches.epoch(epoch)

        shape = self.batches.images.shape[1:]
        signature = (tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32))
        dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
        return dataset.map(self._prepare).prefetch(tf.data.AUTOTUNE)

    def _prepare(self, images: Any, labels: Any) -> tuple[Any, Any]:
        return tf.cast(images, tf.float32) / 255.0, tf.one_hot(labels, self.classes)
