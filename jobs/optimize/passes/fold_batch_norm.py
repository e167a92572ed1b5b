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

from common.networks.flat import again
from common.networks.recipes import LEFT, named, require_layers
from common.schema.recipe import FoldBatchNorm
from common.schema.variant import LayerNote
from jobs.optimize.graph import Graph, Part
from jobs.optimize.layers import Shift
from jobs.optimize.pass_result import PassResult

L = tf_keras.layers
Vector = npt.NDArray[np.float64]
# Exact types: a transposed convolution is a Conv2D too, with its channels elsewhere.
LINEAR = (L.Dense, L.Conv2D, L.SeparableConv2D, L.DepthwiseConv2D)
# Those that take a scale of their outputs; an input's scale goes into the others only.
SCALED = (*LINEAR, L.Conv1D, L.Conv3D, L.SeparableConv1D, L.Conv1DTranspose, L.Conv2DTranspose, L.Conv3DTranspose)
# Their kernels end with [output channels, input channels].
TRANSPOSED = (L.Conv1DTranspose, L.Conv2DTranspose, L.Conv3DTranspose)
FOLDABLE = (*SCALED, L.BatchNormalization)


@dataclass
class _Node:
    """A layer to be, with its weights in float64."""

    layer: Any
    weights: list[npt.NDArray[np.float64]]
    removed: bool = False
    # An addition that must stand before the layer.
    shift: Part | None = None

    @property
    def parts(self) -> list[Part]:
        """What takes the place of the original layer."""
        own: list[Part] = [] if self.removed else [(self.layer, self.weights)]
        return own if self.shift is None else [self.shift, *own]


class Fold:
    """The nodes of a model while BatchNormalization after BatchNormalization is folded."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes = {
            layer.name: _Node(again(layer), [np.asarray(weight, np.float64) for weight in layer.get_weights()])
            for layer in graph.layers
            if type(layer) in FOLDABLE and not graph.is_shared(layer)
        }

    def edits(self) -> dict[str, list[Part]]:
        """What `Graph.rebuild` takes."""
        return {name: node.parts for name, node in self._nodes.items()}

    def fold(self, layer: Any) -> str:
        """Fold one BatchNormalization of the original model; says what was done."""
        if layer.name not in self._nodes:
            return "left alone: the network uses it more than once"
        node = self._nodes[layer.name]
        scale, shift = _affine(node)
        before = self._graph.before(layer)
        if before is not None and self.takes_scale(before):
            _into_output(self._nodes[before.name], scale, shift)
            node.removed = True
            return f"folded into {before.name} before it"
        target, reason = self._consumer(layer, scale)
        return f"left alone: {reason}" if target is None else self._forward(node, target, scale, shift)

    def changed(self, layer: Any) -> bool:
        """Whether a BatchNormalization is gone, or goes where it is an addition."""
        return layer.name in self._nodes and self._nodes[layer.name].removed

    def takes_scale(self, layer: Any) -> bool:
        """Whether a BatchNormalization that follows the layer alone goes into its kernel."""
        return type(layer) in SCALED and _is_linear(layer) and layer.name in self._nodes

    def _consumer(self, layer: Any, scale: Vector) -> tuple[Any | None, str]:
        follower = self._graph.after(layer)
        while follower is not None:
            if type(follower) in LINEAR and follower.name in self._nodes:
                grouped = getattr(follower, "groups", 1) > 1
                return (None, f"{follower.name} is a grouped convolution") if grouped else (follower, "")
            if isinstance(follower, L.MaxPooling2D) and not (scale > 0).all():
                return None, f"{follower.name} picks the largest value, and a scale is not positive"
            if not isinstance(follower, L.MaxPooling2D | L.Dropout | L.Flatten):
                return None, f"{follower.name} stands between it and the next layer with weights"
            follower = self._graph.after(follower)
        return None, "no layer with weights follows it alone"

    def _forward(self, node: _Node, target: Any, scale: Vector, shift: Vector) -> str:
        consumer = self._nodes[target.name]
        dense = isinstance(target, L.Dense)
        # Flatten puts the channels last, so each repeats for every position.
        repeats = consumer.weights[0].shape[0 if dense else -2] // len(scale)
        scale, shift = np.tile(scale, repeats), np.tile(shift, repeats)
        padded = not dense and target.padding == "same"
        if padded and not scale.all():
            return f"left alone: a scale is zero, and {target.name} pads its input"
        _into_input(consumer, scale, np.zeros_like(shift) if padded else shift)
        node.removed = True
        if not padded or not shift.any():
            return f"folded into {target.name} after it"
        # s x + t = s (x + t / s)
        consumer.shift = _addition(node, shift / scale)
        return f"scale folded into {target.name} after it, shift kept before its padding"


def apply(model: Any, settings: FoldBatchNorm) -> PassResult:
    """Fold every BatchNormalization of `settings` that has neighbours to take it; nothing is trained."""
    require_layers(settings.layers, model, settings.name)
    graph = Graph(model)
    fold = Fold(graph)
    notes = []
    for layer in graph.layers:
        if isinstance(layer, L.BatchNormalization):
            action = fold.fold(layer) if named(settings.layers, layer.name) else LEFT
            notes.append(LayerNote(layer=layer.name, action=action, changed=fold.changed(layer)))
    return PassResult(graph.rebuild(fold.edits()), tuple(notes))


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


def _into_output(node: _Node, scale: Vector, shift: Vector) -> None:
    bias = node.weights.pop() if node.layer.use_bias else np.zeros_like(shift)
    node.layer = again(node.layer, use_bias=True)
    kernel = node.weights[-1]
    node.weights[-1] = kernel * _spread(node.layer, kernel, scale)
    node.weights.append(bias * scale + shift)


def _spread(layer: Any, kernel: npt.NDArray[np.float64], scale: Vector) -> Vector:
    """The scale as the kernel's last sides take it."""
    if isinstance(layer, L.DepthwiseConv2D):  # [h, w, channels, multiplier]
        return scale.reshape(kernel.shape[-2:])
    return scale[:, None] if isinstance(layer, TRANSPOSED) else scale


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


def _addition(node: _Node, shift: Vector) -> Part:
    return Shift(name=node.layer.name), [shift]
