"""Models that are one chain of layers, taken apart and put together again."""

from collections.abc import Sequence
from typing import Any

import tf_keras

from common.errors import EdgeproofError


def layers_of(model: Any, what: str) -> list[Any]:
    """The layers of a model in order, without its input; `what` names who asks.

    Raises EdgeproofError naming the layer where the model branches.
    """
    layers = [layer for layer in model.layers if not isinstance(layer, tf_keras.layers.InputLayer)]
    for before, layer in zip([None, *layers], layers, strict=False):
        given = layer.input if not isinstance(layer.input, list) else None
        expected = model.input if before is None else before.output
        if given is None or given is not expected:
            message = f"{what} needs a model that is one chain of layers; it branches at '{layer.name}'"
            raise EdgeproofError(message, hint="leave the pass out of this recipe")
    return layers


def chain(model: Any, layers: Sequence[tuple[Any, Sequence[Any]]]) -> Any:
    """A new model of `layers`, each new and unbuilt with the weights that it shall have."""
    made = tf_keras.Sequential([tf_keras.layers.Input(model.input_shape[1:]), *(layer for layer, _ in layers)])
    for layer, weights in layers:
        layer.set_weights(list(weights))
    return made


def again(layer: Any, **changes: Any) -> Any:
    """A new layer of the same settings but for `changes`."""
    return type(layer).from_config({**layer.get_config(), **changes})
