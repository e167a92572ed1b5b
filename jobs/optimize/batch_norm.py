"""Measure BatchNormalization's statistics anew after a pass changed the weights before it.

Keras follows them with a moving average that forgets its past at the rate of its momentum: with 0.99,
a third of the old statistics is still there after 110 steps of fine-tuning, and they belong to weights
that are gone.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tf_keras

from common.batches import even_rows
from common.schema.variant import LayerNote

# Mean and variance over so many images are far closer than the network can tell.
MOST_IMAGES = 1024
BATCH = 64


def copied(model: Any) -> Any:
    """A model of its own layers and weights; `clone_model` alone leaves the weights behind."""
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def reestimate(model: Any, images: npt.NDArray[np.uint8]) -> tuple[Any, tuple[LayerNote, ...]]:
    """A copy of `model` in which the moving statistics of every BatchNormalization are those of its
    inputs, in inference mode, layer after layer, over an even choice of `images` uint8 [n, h, w, 3]."""
    # A stripped layer still knows the inputs that it had inside its wrapper; a copy's are its own.
    model = copied(model)
    normalizations = [layer for layer in model.layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    # A frozen one is no normalisation but the shift that folding left behind.
    layers = [layer for layer in normalizations if layer.trainable]
    chosen = even_rows(len(images), MOST_IMAGES)
    for layer in layers:
        mean, variance = _moments(tf_keras.Model(model.inputs, layer.input), images, chosen)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
    return model, tuple(LayerNote(layer=layer.name, action=f"statistics of {len(chosen)} images") for layer in layers)


def _moments(
    before: Any, images: npt.NDArray[np.uint8], chosen: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(chosen), BATCH):
        batch = images[chosen[start : start + BATCH]].astype(np.float32) / np.float32(255)
        # Called, not predicted: TensorFlow would trace and warn for each of these models that run a few times.
        values = np.asarray(before(batch, training=False), np.float64)
        values = values.reshape(-1, values.shape[-1])
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + np.square(values).sum(axis=0)
    mean = np.asarray(total) / count
    return mean, np.maximum(np.asarray(squares) / count - mean**2, 0.0)
