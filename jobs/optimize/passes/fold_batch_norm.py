"""Multiply BatchNormalization into its neighbours wherever the function stays the same.

In inference it is a scale and a shift per channel. Right after a convolution or dense layer both go into
that layer. After an activation they go forward into the next one: past Dropout and Flatten always, past max
pooling where every scale is positive. Zero padding adds zeros after the shift, so a shift cannot go into a
padded convolution; it stays behind as an addition, and only the multiplication is saved.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tf_keras

from common.schema.variant import LayerNote
from jobs.optimize.chain import again, chain, layers_of

L = tf_keras.layers
Vector = npt.NDArray[np.float64]
LINEAR = (L.Dense, L.Conv2D, L.SeparableConv2D, L.DepthwiseConv2D)


@dataclass
class _Node:
    """A layer to be, with its weights in float64."""

    layer: Any
    weights: list[npt.NDArray[np.float64]]
    output_shape: tuple[int | None, ...]


def apply(model: Any) -> tuple[Any, tuple[LayerNote, ...]]:
    """Fold every BatchNormalization of a chain; nothing is trained."""
    nodes = [
        _Node(again(layer), [np.asarray(w, np.float64) for w in layer.get_weights()], layer.output_shape)
        for layer in layers_of(model, "fold_batch_norm")
    ]
    notes = []
    for node in [node for node in nodes if isinstance(node.layer, L.BatchNormalization) and node.layer.trainable]:
        notes.append(LayerNote(layer=node.layer.name, action=_fold(nodes, nodes.index(node))))
    return chain(model, [(node.layer, node.weights) for node in nodes]), tuple(notes)


def _fold(nodes: list[_Node], index: int) -> str:
    scale, shift = _affine(nodes[index])
    before = nodes[index - 1] if index else None
    if before is not None and isinstance(before.layer, LINEAR) and _is_linear(before.layer):
        _into_output(before, scale, shift)
        del nodes[index]
        return f"folded into {before.layer.name} before it"
    target, reason = _consumer(nodes, index, scale)
    if target is None:
        return f"left alone: {reason}"
    consumer = nodes[target]
    flat = consumer.weights[0].shape[-2 if not isinstance(consumer.layer, L.Dense) else 0]
    # Flatten puts the channels last, so each repeats for every position.
    scale, shift = (np.tile(values, flat // len(values)) for values in (scale, shift))
    padded = not isinstance(consumer.layer, L.Dense) and consumer.layer.padding == "same"
    if padded and not scale.all():
        return f"left alone: a scale is zero, and {consumer.layer.name} pads its input"
    _into_input(consumer, scale, np.zeros_like(shift) if padded else shift)
    if not padded or not shift.any():
        del nodes[index]
        return f"folded into {consumer.layer.name} after it"
    # s x + t = s (x + t / s)
    kept = _addition(nodes[index], shift / scale, nodes[target - 1].output_shape)
    nodes.insert(target, kept)
    del nodes[index]
    return f"scale folded into {consumer.layer.name} after it, shift kept before its padding"


def _affine(node: _Node) -> tuple[Vector, Vector]:
    config, weights = node.layer, list(node.weights)
    size = weights[-1].shape
    gamma = weights.pop(0) if config.scale else np.ones(size)
    beta = weights.pop(0) if config.center else np.zeros(size)
    mean, variance = weights
    scale = gamma / np.sqrt(variance + config.epsilon)
    return scale, beta - mean * scale


def _is_linear(layer: Any) -> bool:
    return bool(layer.activation is tf_keras.activations.linear)


def _consumer(nodes: list[_Node], index: int, scale: Vector) -> tuple[int | None, str]:
    for position in range(index + 1, len(nodes)):
        layer = nodes[position].layer
        if isinstance(layer, LINEAR):
            return position, ""
        if isinstance(layer, L.MaxPooling2D) and not (scale > 0).all():
            return None, f"{layer.name} picks the largest value, and a scale is not positive"
        if not isinstance(layer, L.MaxPooling2D | L.Dropout | L.Flatten):
            return None, f"{layer.name} stands between it and the next layer with weights"
    return None, "no layer with weights follows"


def _into_output(node: _Node, scale: Vector, shift: Vector) -> None:
    bias = node.weights.pop() if node.layer.use_bias else np.zeros_like(shift)
    node.layer = again(node.layer, use_bias=True)
    kernel = node.weights[-1]
    # A depthwise kernel is [h, w, channels, multiplier]; every other one ends with its output channels.
    depthwise = isinstance(node.layer, L.DepthwiseConv2D)
    node.weights[-1] = kernel * (scale.reshape(kernel.shape[-2:]) if depthwise else scale)
    node.weights.append(bias * scale + shift)


def _into_input(node: _Node, scale: Vector, shift: Vector) -> None:
    added = _response(node, shift)
    bias = node.weights.pop() if node.layer.use_bias else np.zeros_like(added)
    node.layer = again(node.layer, use_bias=True)
    # Every first kernel ends with [input channels, something].
    node.weights[0] = node.weights[0] * scale[:, None]
    node.weights.append(bias + added)


def _response(node: _Node, shift: Vector) -> Vector:
    """What a constant input adds to every output of the layer."""
    if isinstance(node.layer, L.Dense):
        return np.asarray(shift @ node.weights[0])
    spread = np.einsum("hwcm,c->cm", node.weights[0], shift)
    if isinstance(node.layer, L.SeparableConv2D):
        return np.asarray(spread.reshape(-1) @ node.weights[1][0, 0])
    return np.asarray(spread.reshape(-1) if isinstance(node.layer, L.DepthwiseConv2D) else spread.sum(axis=0))


def _addition(node: _Node, shift: Vector, shape: tuple[int | None, ...]) -> _Node:
    # A BatchNormalization that only adds: frozen, so that no training or re-estimation touches it. The
    # converter turns it into one ADD, since its scale is exactly one.
    layer = again(node.layer, scale=False, center=True, trainable=False)
    variance = np.float32(1.0) - np.float32(layer.epsilon)
    return _Node(layer, [shift, np.zeros_like(shift), np.full(shift.shape, variance)], shape)
