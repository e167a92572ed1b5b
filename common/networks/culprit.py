"""Which layer of a network makes a conversion fail."""

import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

HINT = "LiteRT has no such operator, or not for this: change the layer, or leave this format out"
# What quantisation-aware training puts around a layer.
SIMULATED = "QuantizeWrapper"
# The paths of operators in what the converter says, such as "network/layer/Function@__inference_1".
PATH = re.compile(r'"([^"\s]+)"')


def named_in(text: str, model: Any) -> str | None:
    """The first layer of `model` that an error of the converter's says an operator belongs to, in words."""
    layers = {layer.name: layer for layer in model.layers}
    parts = (part for path in PATH.findall(text) for part in path.split("@")[0].split("/")[1:])
    return next((_words(layers[part]) for part in parts if part in layers), None)


def culprit(model: Any, refuses: Callable[[int], bool]) -> str | None:
    """The layer with which `part(model, n)` is refused while the part before it is not, in words; None where no part
    is. Asks as often as the number of layers can be halved."""
    nodes = _nodes(model)
    low, high = 0, len(nodes)
    if not nodes or not refuses(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refuses(middle) else (middle, high)
    return _words(nodes[high - 1].layer)


def part(model: Any, count: int) -> Any:
    """The first `count` layers as a model; its outputs are what the others take, and what the whole one gives."""
    nodes = _nodes(model)
    taken = {id(tensor) for node in nodes[count:] for tensor in node.keras_inputs}
    taken |= {id(tensor) for tensor in model.outputs}
    made = [tensor for node in nodes[:count] for tensor in tf.nest.flatten(node.outputs) if id(tensor) in taken]
    return tf_keras.Model(model.inputs, made)


def _nodes(model: Any) -> list[Any]:
    """Every call of a layer, in topological order."""
    depths = tf_keras.Model(model.inputs, model.outputs)._nodes_by_depth
    return [node for depth in sorted(depths, reverse=True) for node in depths[depth] if not node.is_input]


def _words(layer: Any) -> str:
    if isinstance(layer, tf_keras.layers.Wrapper) and type(layer).__name__.startswith(SIMULATED):
        layer = layer.layer
    return f"layer '{layer.name}' ({type(layer).__name__})"
