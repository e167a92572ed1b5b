"""Activation ranges for quantisation-aware training, measured before it starts.

tfmot begins with -6 to 6 everywhere and follows the data with a moving average of 0.999: after the few hundred
steps of a fine-tuning the ranges would still be mostly what they began with, clipping what is larger and wasting
the levels of what is smaller.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tf_keras

from common.batches import even_rows
from common.networks.flat import again

# Names that tfmot gives to the ends of the ranges it quantises with: of a layer's output after or before its
# activation. Those of kernels it measures itself, anew at every step.
RANGE = re.compile(r"quant_(?P<layer>.+)/(?P<place>output|post_activation|pre_activation)_(?P<end>min|max):0")
INPUT = re.compile(r"quantize_layer[_0-9]*/quantize_layer[_0-9]*_(?P<end>min|max):0")
# Images, as many at a time as fit beside all activations of a large network.
IMAGES, BATCH = 256, 16


def calibrate(aware: Any, model: Any, images: npt.NDArray[np.uint8]) -> int:
    """Set every activation range of `aware` to what `model`, the same network in float, shows on an even choice
    of `images` uint8 [n, h, w, 3]. Returns how many ranges were set."""
    found = [(weight, RANGE.fullmatch(weight.name)) for weight in aware.weights]
    ends = [(weight, match["layer"], match["place"], match["end"]) for weight, match in found if match]
    known = {layer.name for layer in model.layers}
    wanted = sorted({(layer, place == "pre_activation") for _, layer, place, _ in ends if layer in known})
    ranges = dict(zip(wanted, _ranges(model, wanted, images), strict=True)) if wanted else {}
    for weight, layer, place, end in ends:
        if layer in known:
            weight.assign(ranges[layer, place == "pre_activation"][end == "max"])
    for weight in aware.weights:
        match = INPUT.fullmatch(weight.name)
        if match:
            weight.assign(float(match["end"] == "max"))
    return len(ranges)


def _ranges(model: Any, wanted: Sequence[tuple[str, bool]], images: npt.NDArray[np.uint8]) -> list[tuple[float, float]]:
    tensors = [_tensor(model.get_layer(name), before) for name, before in wanted]
    probe = tf_keras.Model(model.inputs, tensors)
    chosen = even_rows(len(images), IMAGES)
    # Zero is always in the range, since padding and ReLU need it exactly.
    ends = np.zeros((len(wanted), 2))
    for start in range(0, len(chosen), BATCH):
        outputs = probe.predict_on_batch(images[chosen[start : start + BATCH]].astype(np.float32) / np.float32(255))
        for row, values in zip(ends, outputs if len(wanted) > 1 else [outputs], strict=True):
            row[:] = min(row[0], values.min()), max(row[1], values.max())
    return [(float(low), float(high)) for low, high in ends]


def _tensor(layer: Any, before_activation: bool) -> Any:
    if not before_activation:
        return layer.output
    linear = again(layer, activation="linear", name=f"{layer.name}_linear")
    output = linear(layer.input)
    linear.set_weights(layer.get_weights())
    return output
