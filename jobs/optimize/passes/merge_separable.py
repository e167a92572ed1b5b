"""Turn a separable convolution into the one convolution that it stands for.

A depthwise convolution followed by a 1 x 1 convolution is linear, so the product of their kernels does the
same in one step. That costs more multiplications and is faster only for few input channels and large
kernels: XNNPACK, for one, has no depthwise kernel of 49 taps.
"""

from typing import Any

import numpy as np
import tf_keras

from common.networks.recipes import LEFT, named, require_layers
from common.schema.recipe import MergeSeparable
from common.schema.variant import LayerNote
from jobs.optimize.graph import Graph, Part
from jobs.optimize.pass_result import PassResult

KEPT_SETTINGS = ("filters", "kernel_size", "strides", "padding", "activation", "dilation_rate", "data_format")


def apply(model: Any, settings: MergeSeparable) -> PassResult:
    """Merge what has few enough input channels; nothing is trained."""
    require_layers(settings.layers, model, settings.name)
    graph = Graph(model)
    edits, notes = {}, []
    for layer in graph.layers:
        if not isinstance(layer, tf_keras.layers.SeparableConv2D):
            continue
        channels = layer.input_shape[-1]
        if not named(settings.layers, layer.name):
            action = LEFT
        elif channels > settings.max_input_channels:
            action = f"left alone: {channels} input channels, more than {settings.max_input_channels}"
        else:
            edits[layer.name] = [_merged(layer)]
            action = "depthwise and pointwise kernel merged"
        notes.append(LayerNote(layer=layer.name, action=action, changed=layer.name in edits))
    return PassResult(graph.rebuild(edits), tuple(notes))


def _merged(layer: Any) -> Part:
    depthwise, pointwise, *bias = layer.get_weights()
    config = {name: layer.get_config()[name] for name in KEPT_SETTINGS}
    merged = tf_keras.layers.Conv2D(name=layer.name, use_bias=layer.use_bias, **config)
    height, width, channels, multiplier = depthwise.shape
    # The 1 x 1 kernel takes the depthwise outputs in the order channel, multiplier.
    mixed = pointwise[0, 0].reshape(channels, multiplier, -1)
    kernel = np.einsum("hwcm,cmo->hwco", np.float64(depthwise), np.float64(mixed)).astype(np.float32)
    return merged, [kernel.reshape(height, width, channels, -1), *bias]
