"""Whether a network begins with what brings pixels of 0 to 255 to small numbers: images are 0 to 1 already."""

from typing import Any

import numpy as np
import tf_keras

L = tf_keras.layers
# What divides by more takes pixels; 127.5 and 255 are common.
LEAST_DIVISOR = 64.0
# What may stand before it and leaves the range of its input as it is.
BEFORE = (
    *(L.InputLayer, L.RandomFlip, L.RandomRotation, L.RandomZoom, L.RandomTranslation, L.RandomCrop, L.RandomContrast),
    *(L.RandomHeight, L.RandomWidth, L.Resizing, L.CenterCrop, L.ZeroPadding2D),
)
DIVISIONS = ("math.truediv", "math.divide", "__operators__.truediv")


def scaler(model: Any) -> str | None:
    """The name of a layer at the beginning of a network that scales pixels down; None where there is none."""
    depths = tf_keras.Model(model.inputs, model.outputs)._nodes_by_depth
    for node in (node for depth in sorted(depths, reverse=True) for node in depths[depth]):
        if _divides(node):
            return str(node.layer.name)
        if not isinstance(node.layer, BEFORE):
            return None
    return None


def _divides(node: Any) -> bool:
    layer = node.layer
    if isinstance(layer, L.Rescaling):
        return bool(0 < np.abs(np.asarray(layer.scale)).max() <= 1 / LEAST_DIVISOR)
    if type(layer).__name__ != "TFOpLambda" or layer.get_config().get("function") not in DIVISIONS:
        return False
    given = (*node.call_args[1:], *node.call_kwargs.values())
    return any(isinstance(value, int | float) and value >= LEAST_DIVISOR for value in given)
