"""CompactNet: a small classifier of the operators that mobile runtimes are fast at.

What costs time and size in FireDetectionNet is left out: no convolution at full resolution (the stem strides),
no BatchNormalization after an activation (here it follows a convolution without bias, where a converter
multiplies it in), and no wide dense layer (global pooling goes before the classifier). The block is that of
MobileNet (Howard et al. 2017): a depthwise and a pointwise convolution, each with BatchNormalization and ReLU.
"""

from typing import Any

from tf_keras import Sequential, layers

from common.schema.network import Network

STEM_FILTERS = 16
BLOCK_FILTERS = (32, 48, 64, 64)
# A block halves its map as long as half of it still has this side.
SMALLEST_MAP = 8
# XNNPACK works on 8 channels at a time; other counts leave lanes idle.
CHANNEL_MULTIPLE = 8
# Fast enough for a training of some hundred steps.
MOMENTUM = 0.9
STRIDE = 2


def compact_net(network: Network, input_shape: tuple[int, int, int], classes: int) -> Any:
    """A strided stem, depthwise-separable blocks, global pooling and a softmax; `width` scales every layer."""
    width = 1.0 if network.width is None else network.width
    momentum = network.batch_norm_momentum or MOMENTUM
    stride = network.stride or STRIDE
    side = -(-min(input_shape[:2]) // stride)
    convolution = layers.Conv2D(_scaled(STEM_FILTERS, width), 3, stride, "same", use_bias=False, name="stem")
    model = Sequential([layers.Input(input_shape), convolution], name="compact_net")
    _normalise(model, "stem", momentum)
    for number, filters in enumerate(BLOCK_FILTERS, start=1):
        stride = 2 if side >= 2 * SMALLEST_MAP else 1
        side = -(-side // stride)
        name = f"block{number}_depthwise"
        model.add(layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=name))
        _normalise(model, name, momentum)
        name = f"block{number}_pointwise"
        model.add(layers.Conv2D(_scaled(filters, width), 1, use_bias=False, name=name))
        _normalise(model, name, momentum)
    model.add(layers.GlobalAveragePooling2D(name="pool"))
    model.add(layers.Dense(classes, activation="softmax", name="classifier"))
    return model


def _scaled(filters: int, width: float) -> int:
    return max(CHANNEL_MULTIPLE, round(filters * width / CHANNEL_MULTIPLE) * CHANNEL_MULTIPLE)


def _normalise(model: Any, name: str, momentum: float) -> None:
    model.add(layers.BatchNormalization(momentum=momentum, name=f"{name}_normalised"))
    model.add(layers.ReLU(name=f"{name}_relu"))
