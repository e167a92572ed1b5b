"""Measure BatchNormalization's statistics anew after a pass changed the weights before it.

Keras follows them with a moving average that forgets its past at the rate of its momentum: with 0.99,
a third of the old statistics is still there after 110 steps of fine-tuning, and they belong to weights
that are gone.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from common.batches import even_rows
from common.networks.flat import flattened, is_flat
from common.schema.variant import LayerNote
from jobs.optimize.graph import Graph

L = tf_keras.layers
# Mean and variance over so many images are far closer than the network can tell.
MOST_IMAGES = 1024
BATCH = 64
# Of activations in float32 that are kept, so that a layer's statistics need not be measured from the images on.
MOST_KEPT_BYTES = 512 << 20
# Where a layer is called more than once, what one call gives may go into another.
ROUNDS = 3


def copied(model: Any) -> Any:
    """A model of its own layers and weights; `clone_model` alone leaves the weights behind."""
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def reestimate(model: Any, images: npt.NDArray[np.uint8]) -> tuple[Any, tuple[LayerNote, ...]]:
    """A copy of `model` in which the moving statistics of every BatchNormalization are those of its inputs, in
    inference mode, layer after layer, over an even choice of `images` uint8 [n, h, w, 3]: of the inputs of every call
    where the network calls it more than once. A note says it of each, and of those inside of other layers, which keep
    theirs."""
    # A stripped layer still knows the inputs that it had inside its wrapper; a copy's are its own.
    model = copied(model) if is_flat(model) else flattened(model)
    graph = Graph(model)
    layers = [each for each in graph.layers if isinstance(each, L.BatchNormalization)]
    # Asked for now: a part of the model gives its layers further inputs.
    taken = [graph.inputs_of(layer) for layer in layers]
    chosen = even_rows(len(images), MOST_IMAGES)
    for _ in range(1 if all(len(tensors) == 1 for tensors in taken) else ROUNDS):
        _measure(model, layers, taken, lambda: _scaled(images, chosen), len(chosen))
    notes = [_note(layer, len(tensors), len(chosen)) for layer, tensors in zip(layers, taken, strict=True)]
    return copied(model), (*notes, *_inside(graph.layers))


def _measure(
    model: Any, layers: Sequence[Any], taken: Sequence[list[Any]], given: Callable[[], Iterable[Any]], count: int
) -> None:
    """Assign the statistics of every layer's inputs in turn, from `count` images in batches as the model takes them."""
    start, kept = model.inputs, None
    for layer, tensors in zip(layers, taken, strict=True):
        # Called, not predicted: TensorFlow would trace and warn for each of these models that run a few times.
        part = tf_keras.Model(start, tensors)
        found = (part(batch, training=False) for batch in (given() if kept is None else kept))
        if len(tensors) == 1 and _fits(tensors[0], count) and _separates(tensors[0], model.outputs):
            start, kept = tensors[0], list(found)
            found = (batch for batch in kept)
        mean, variance = _moments((batch for each in found for batch in _listed(each)), layer.axis)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)


def _note(layer: Any, calls: int, images: int) -> LayerNote:
    more = f", in {calls} calls" if calls > 1 else ""
    return LayerNote(layer=layer.name, action=f"statistics of {images} images{more}")


def _inside(layers: Sequence[Any]) -> Iterator[LayerNote]:
    """Those that another layer holds, whose inputs no graph shows."""
    for layer in layers:
        held = [part for part in layer.submodules if isinstance(part, L.BatchNormalization)]
        for part in held:
            action = f"statistics left as they were: inside of {layer.name} ({type(layer).__name__})"
            yield LayerNote(layer=part.name, action=action)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


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


def _moments(
    batches: Iterable[Any], channels: Sequence[int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and variance of each channel, float64 [channels], over batches float32 of which the axes `channels` have
    them."""
    count, total, squares = 0, 0.0, 0.0
    for batch in batches:
        axes = [axis for axis in range(len(batch.shape)) if axis not in channels]
        each = math.prod(batch.shape[axis] for axis in axes)
        mean, variance = (np.asarray(part, np.float64) for part in tf.nn.moments(batch, axes))
        count += each
        total = total + each * mean
        squares = squares + each * (variance + np.square(mean))
    mean = np.asarray(total) / count
    return mean, np.maximum(np.asarray(squares) / count - mean**2, 0.0)
