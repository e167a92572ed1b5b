"""Whether XNNPACK would run a file sparsely, and the first reason why not.

The conditions are those under "Sparse Inference" in tflite/delegates/xnnpack/README.md of LiteRT. The shape comes
from "Fast Sparse ConvNets" (Elsen et al., 2019): a 3x3 convolution to start with, 1x1 and depthwise convolutions, and
a mean over the image to end with. Whether the machine has kernels for it is not looked at; x86 mostly has none.
"""

from collections.abc import Iterator

import numpy as np

from common.tflite.flat import FlatTensor
from common.tflite.operators import CONVERSIONS, Node
from common.tflite.tensors import elements, values

# Of all weights of the 1x1 convolutions together.
LEAST_ZEROS = 2 / 3
RGB = 3
ENDS = ("MEAN", "DEPTH_TO_SPACE")
ELEMENTWISE = tuple(
    [
        "ABS",
        "CEIL",
        "ELU",
        "FLOOR",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LOGISTIC",
        "NEG",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "ROUND",
        "SQUARE",
        "ADD",
        "MUL",
    ]
)
INSIDE = ("CONV_2D", "DEPTHWISE_CONV_2D", "RESIZE_BILINEAR", "MEAN", *ELEMENTWISE)
# The depthwise windows that have sparse kernels; with padding on each side, which SAME gives.
WINDOWS = ((3, 3), (5, 5))
SAME = 0


def sparse_refusal(nodes: tuple[Node, ...], origin: dict[int, int]) -> str | None:
    """The first reason why XNNPACK would run a graph densely; None where it would run it sparsely.

    `origin` maps what DENSIFY and DEQUANTIZE make of constants to the constants, as they are stored.
    """
    chain = [node for node in nodes if node.name not in CONVERSIONS]
    starts = [at for at, node in enumerate(chain) if node.name == "CONV_2D" and not _start(node)]
    convolutions = [node for node in chain if node.name == "CONV_2D"]
    if not convolutions:
        return "it has no convolution"
    if not starts:
        return f"its first convolution {_start(convolutions[0])}"
    ends = [at for at, node in enumerate(chain) if node.name in ENDS and at > starts[0]]
    if not ends:
        return "no MEAN over the image and no DEPTH_TO_SPACE ends the convolutions"
    inside = chain[starts[0] + 1 : ends[0]]
    refused = next((reason for node in inside if (reason := _inside(node)) is not None), None)
    return refused or _weights([node for node in inside if node.name == "CONV_2D"], origin)


def _start(node: Node) -> str | None:
    """What a first convolution lacks."""
    given, kernel, options = node.input(0), node.input(1), node.operator.options
    if given is None or kernel is None or options is None or len(kernel.shape) != 4:  # noqa: PLR2004
        return "is unusual"
    if given.type != "FLOAT32" or kernel.type != "FLOAT32":
        return "does not compute in float"
    if kernel.shape[1:3] != (3, 3) or (options.strideH, options.strideW) != (2, 2):
        return f"is {kernel.shape[1]}x{kernel.shape[2]} of stride {options.strideH}, not 3x3 of stride 2"
    if options.padding != SAME or (options.dilationHFactor, options.dilationWFactor) != (1, 1):
        return "is not padded, or dilated"
    return None if kernel.shape[3] == RGB else f"has {kernel.shape[3]} input channels, not {RGB}"


def _inside(node: Node) -> str | None:
    """Why an operator cannot stand in a sparse subgraph."""
    kernel, options = node.input(1), node.operator.options
    if node.name not in INSIDE:
        return f"{node.name} stands among the convolutions"
    if any(tensor.type != "FLOAT32" for tensor in (*node.activations, *node.outputs)):
        return f"{node.name} does not compute in float"
    if kernel is None or options is None:
        return None
    if node.name == "CONV_2D" and kernel.shape[1:3] != (1, 1):
        return f"a convolution is {kernel.shape[1]}x{kernel.shape[2]}, not 1x1"
    if node.name == "DEPTHWISE_CONV_2D":
        dilated = (options.dilationHFactor, options.dilationWFactor) != (1, 1)
        if kernel.shape[1:3] not in WINDOWS or dilated or options.padding != SAME:
            return f"a depthwise convolution is {kernel.shape[1]}x{kernel.shape[2]}, or dilated, or not padded"
    return None


def _weights(nodes: list[Node], origin: dict[int, int]) -> str | None:
    kernels = tuple(_stored(nodes, origin))
    if not kernels:
        return "it has no 1x1 convolution"
    if any(kernel.sparsity is None for kernel in kernels):
        return "weights of 1x1 convolutions are not stored sparsely (DENSIFY)"
    nonzero = sum(int(np.count_nonzero(found)) for kernel in kernels if (found := values(kernel)) is not None)
    zeros = 1 - nonzero / max(sum(elements(kernel.shape) for kernel in kernels), 1)
    return None if zeros >= LEAST_ZEROS else f"{zeros:.0%} of the weights of 1x1 convolutions are zero, not 2/3"


def _stored(nodes: list[Node], origin: dict[int, int]) -> Iterator[FlatTensor]:
    for node in nodes:
        index = node.operator.inputs[1]
        yield node.graph.tensors[origin.get(index, index)]
