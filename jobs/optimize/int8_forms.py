"""A network written so that tfmot can simulate int8 in it, before quantisation-aware training. Nothing is trained here,
and the function stays the same.

tfmot takes a BatchNormalization only right after a convolution, and the converter folds none into a dense layer or a
transposed convolution whose kernel is quantised: there it is folded before. Any other one on a map is written as the
1 x 1 depthwise convolution that it is in inference. A separable convolution is written as the two that it consists of,
a convolution of rows as one of maps that are one row high, which it is in the file too, and an activation that tfmot
has no ranges for as a layer of its own, so that the kernel before it still has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from common.networks.flat import again, flattened, is_flat
from common.schema.variant import LayerNote
from jobs.optimize.graph import Graph, Part
from jobs.optimize.layers import Shift
from jobs.optimize.passes.fold_batch_norm import Fold

L = tf_keras.layers
MAP_RANK = 4
# The activations that tfmot simulates inside of a layer with the ranges that the file needs: swish and gelu are several
# operators there, and want one before them as well.
BUILT_IN = ("linear", "relu", "softmax", "sigmoid", "tanh")
# After these the converter folds a BatchNormalization itself, with the ranges of the kernel.
FOLDED_LATER = (L.Conv2D, L.DepthwiseConv2D)
# Layers with a kernel whose activation can stand apart.
ACTIVATED = (L.Conv2D, L.Conv2DTranspose, L.Dense, L.DepthwiseConv2D)
ROWS = (L.Conv1D, L.DepthwiseConv1D, L.SeparableConv1D)


class AsRow(tf_keras.layers.Layer):  # type: ignore[misc]
    """[n, width, channels] to [n, 1, width, channels]."""

    def call(self, inputs: Any) -> Any:
        """The same values."""
        return tf.expand_dims(inputs, 1)


class FromRow(tf_keras.layers.Layer):  # type: ignore[misc]
    """[n, 1, width, channels] to [n, width, channels]."""

    def call(self, inputs: Any) -> Any:
        """The same values."""
        return tf.squeeze(inputs, [1])


@dataclass(frozen=True)
class Forms:
    """`model` is new and of layers with weights of their own; `parts` has the names of those that took the place of a
    layer, by its name, but for an activation, which is a layer of its own then; `notes` says how."""

    model: Any
    parts: Mapping[str, tuple[str, ...]]
    notes: tuple[LayerNote, ...]


def int8_forms(model: Any) -> Forms:
    """The network in the forms that tfmot simulates."""
    folded, folds = _folded(model if is_flat(model) else flattened(model))
    graph = Graph(folded)
    edits: dict[str, list[Part]] = {}
    notes = []
    for layer in graph.layers:
        parts, action = _form(graph, layer)
        if action:
            edits[layer.name] = parts
            notes.append(LayerNote(layer=layer.name, action=action))
    names = {name: tuple(layer.name for layer, _ in parts if _stands(layer)) for name, parts in edits.items()}
    return Forms(graph.rebuild(edits), names, (*folds, *notes))


def activation_name(activation: Any) -> str:
    """The name of what a layer applies; an activation may be a function or a layer."""
    return str(getattr(activation, "__name__", type(activation).__name__))


def folded_later(graph: Graph, layer: Any) -> bool:
    """Whether the converter multiplies a BatchNormalization into the convolution before it."""
    before = graph.before(layer)
    return before is not None and type(before) in FOLDED_LATER and before.activation is tf_keras.activations.linear


def _folded(model: Any) -> tuple[Any, list[LayerNote]]:
    graph = Graph(model)
    fold = Fold(graph)
    notes = []
    for layer in graph.layers:
        before = graph.before(layer)
        alone = isinstance(layer, L.BatchNormalization) and _of_channels(layer) and not graph.is_shared(layer)
        if alone and before is not None and type(before) not in FOLDED_LATER and fold.takes_scale(before):
            notes.append(LayerNote(layer=layer.name, action=fold.fold(layer)))
    return (graph.rebuild(fold.edits()) if notes else model), notes


def _form(graph: Graph, layer: Any) -> tuple[list[Part], str]:
    """What takes a layer's place, and how that is said; nothing where it stays as it is."""
    if graph.is_shared(layer):
        return [], ""
    if isinstance(layer, Shift) or (isinstance(layer, L.BatchNormalization) and not folded_later(graph, layer)):
        on_map = len(layer.input_shape) == MAP_RANK and _of_channels(layer)
        return ([_as_depthwise(layer)], "written as a 1 x 1 depthwise convolution") if on_map else ([], "")
    if type(layer) is L.SeparableConv2D:
        return _known_activations(_split(layer, layer.get_weights())), "written as a depthwise and a 1 x 1 convolution"
    if type(layer) in ROWS and layer.data_format == "channels_last":
        return _known_activations(_on_map(layer)), "written as a convolution of maps that are one row high"
    if type(layer) in ACTIVATED and (name := activation_name(layer.activation)) not in BUILT_IN:
        return _known_activations(
            [(again(layer), layer.get_weights())]
        ), f"written with its {name} as a layer of its own"
    return [], ""


def _stands(layer: Any) -> bool:
    """Whether a part stands for the layer that it is of; otherwise it is that layer's activation."""
    return hasattr(layer, "kernel_size") or isinstance(layer, AsRow | FromRow | L.Dense | L.ZeroPadding2D)


def _of_channels(layer: Any) -> bool:
    """Whether a BatchNormalization, or a Shift, has a number for each channel, and these lie last."""
    if isinstance(layer, Shift):
        return True
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    return list(axes) in ([-1], [len(layer.input_shape) - 1])


def _as_depthwise(layer: Any) -> Part:
    if isinstance(layer, Shift):
        shift = np.asarray(layer.shift)
        return L.DepthwiseConv2D(1, name=layer.name), [np.ones((1, 1, len(shift), 1), np.float32), shift]
    gamma = np.asarray(layer.gamma) if layer.scale else 1.0
    beta = np.asarray(layer.beta) if layer.center else 0.0
    scale = gamma / np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon)
    convolution = L.DepthwiseConv2D(1, name=layer.name)
    return convolution, [scale.reshape(1, 1, -1, 1), beta - np.asarray(layer.moving_mean) * scale]


def _split(layer: Any, weights: Sequence[Any], **changes: Any) -> list[Part]:
    depthwise, *pointwise = weights
    config = {**layer.get_config(), **changes}
    shared = {key: config[key] for key in ("kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier")}
    first = L.DepthwiseConv2D(use_bias=False, name=f"{layer.name}_depthwise", **shared)
    second = L.Conv2D(layer.filters, 1, use_bias=layer.use_bias, activation=layer.activation, name=layer.name)
    return [(first, [depthwise]), (second, pointwise)]


def _on_map(layer: Any) -> list[Part]:
    """A convolution of rows [n, width, channels] as one of maps [n, 1, width, channels]."""
    (width,), (stride,), (dilation,) = layer.kernel_size, layer.strides, layer.dilation_rate
    causal = layer.padding == "causal"
    sides: dict[str, Any] = {
        "kernel_size": (1, width),
        # A depthwise convolution wants the same stride on both sides, and there is one row only.
        "strides": (stride, stride),
        "dilation_rate": (1, dilation),
        "padding": "valid" if causal else layer.padding,
    }
    # All kernels but the bias have the width first.
    weights = [weight[None] if weight.ndim > 1 else weight for weight in layer.get_weights()]
    first: list[Part] = [(AsRow(name=f"{layer.name}_as_row"), [])]
    if causal:
        before = ((0, 0), (dilation * (width - 1), 0))
        first.append((L.ZeroPadding2D(before, name=f"{layer.name}_padding"), []))
    if type(layer) is L.SeparableConv1D:
        middle = _split(layer, weights, **sides)
    else:
        kind = L.Conv2D if type(layer) is L.Conv1D else L.DepthwiseConv2D
        middle = [(kind.from_config({**layer.get_config(), **sides}), weights)]
    return [*first, *middle, (FromRow(name=f"{layer.name}_from_row"), [])]


def _known_activations(parts: Sequence[Part]) -> list[Part]:
    """The parts with every activation that tfmot does not simulate inside of a layer as one of its own."""
    apart: list[Part] = []
    for layer, weights in parts:
        activation = getattr(layer, "activation", None)
        if activation is None or (name := activation_name(activation)) in BUILT_IN:
            apart.append((layer, weights))
            continue
        own = f"{layer.name}_{name}"
        kept = activation.get_weights() if isinstance(activation, L.Layer) else []
        after = again(activation, name=own) if isinstance(activation, L.Layer) else L.Activation(activation, name=own)
        apart += [(again(layer, activation="linear"), weights), (after, kept)]
    return apart
