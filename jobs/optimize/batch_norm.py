"""Measure BatchNormalization's statistics anew after a pass changed the weights before it.

Keras follows them with a moving average that forgets its past at the rate of its momentum: with 0.99,
a third of the old statistics is still there after 110 steps of fine-tuning, and they belong to weights
that are gone.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from common.batches import even_rows
from common.schema.variant import LayerNote

# Mean and variance over so many images are far closer than the network can tell.
MOST_IMAGES = 1024
BATCH = 64
# Of activations in float32 that are kept, so that a layer's statistics need not be measured from the images on.
MOST_KEPT_BYTES = 512 << 20


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
    # Asked for now: a part of the model gives its layers further inputs.
    tensors = [layer.input for layer in layers]
    chosen = even_rows(len(images), MOST_IMAGES)
    start, kept = model.inputs, None
    for layer, tensor in zip(layers, tensors, strict=True):
        # Called, not predicted: TensorFlow would trace and warn for each of these models that run a few times.
        part = tf_keras.Model(start, tensor)
        given: Iterable[Any] = _scaled(images, chosen) if kept is None else kept
        found = (part(batch, training=False) for batch in given)
        if _fits(tensor, len(chosen)) and _separates(tensor, model.outputs):
            start, kept = tensor, list(found)
            found = (batch for batch in kept)
        mean, variance = _moments(found)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
    notes = tuple(LayerNote(layer=layer.name, action=f"statistics of {len(chosen)} images") for layer in layers)
    return copied(model), notes


def _scaled(images: npt.NDArray[np.uint8], chosen: npt.NDArray[np.int64]) -> Iterator[Any]:
    for start in range(0, len(chosen), BATCH):
        yield images[chosen[start : start + BATCH]].astype(np.float32) / np.float32(255)


def _fits(tensor: Any, images: int) -> bool:
    sides = tensor.shape[1:]
    return None not in sides and images * math.prod(sides) * np.dtype(np.float32).itemsize <= MOST_KEPT_BYTES


def _separates(tensor: Any, outputs: Any) -> bool:
    """Whether everything after `tensor` follows from it alone: a branch around it would need more."""
    try:
        tf_keras.Model(tensor, outputs)
    except ValueError:  # Keras: the graph is disconnected.
        return False
    return True


def _moments(batches: Iterable[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and variance of each channel, float64 [channels], over batches float32 [n, ..., channels]."""
    count, total, squares = 0, 0.0, 0.0
    for batch in batches:
        each = math.prod(batch.shape[:-1])
        mean, variance = (np.asarray(part, np.float64) for part in tf.nn.moments(batch, range(len(batch.shape) - 1)))
        count += each
        total = total + each * mean
        squares = squares + each * (variance + np.square(mean))
    mean = np.asarray(total) / count
    return mean, np.maximum(np.asarray(squares) / count - mean**2, 0.0)
