"""Why XNNPACK would not take an operator for what its kind alone asks. Part of the rules of `xnnpack.py`."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from common.tflite.flat import FlatTensor
from common.tflite.operators import Node
from common.tflite.tensors import dtype_name, elements, values

EIGHT_BIT = ("INT8", "UINT8")
FLOATS = ("FLOAT32", "FLOAT16")
# Scale of an input over that of the output: the lowest, and the highest with whether that one is still taken.
RATIOS = {
    "ADD": (2**-10, 2**8, False),
    "SUB": (2**-10, 2**8, False),
    "QUANTIZE": (2**-8, 2**7, True),
    "LEAKY_RELU": (2**-8, 2**7, True),
}
# The same of the product of the inputs' scales.
PRODUCT = (2**-16, 2**8)
# Scale of negative inputs over that of the output.
LOWEST_SLOPE, HIGHEST_SLOPE, LEAST_SLOPE = -127.99609375, 128.0, 2**-8
MATRIX_RANK = 2
Rule = Callable[[Node], str | None]


def ratio_refusal(node: Node) -> str | None:
    """Integer arithmetic has room for some ratios of scales only. The runtime divides in float32."""
    out = _scale(node.outputs[0]) if node.outputs else None
    scales = [scale for tensor in node.inputs if (scale := _scale(tensor)) is not None]
    if not out or not scales or len(scales) != len(node.inputs):
        return None
    if node.name == "MUL" and len(scales) == 2:  # noqa: PLR2004
        with np.errstate(all="ignore"):
            ratio = float(scales[0] * scales[1] / out)
        within = PRODUCT[0] <= ratio < PRODUCT[1]
        return None if within else f"the product of the inputs' scales is {ratio:.3g} times the output's"
    if node.name not in RATIOS or node.inputs[0].type != node.outputs[0].type:
        return None
    low, high, inclusive = RATIOS[node.name]
    with np.errstate(all="ignore"):
        ratios = [float(scale / out) for scale in scales]
    for ratio in ratios:
        if not low <= ratio <= high or (ratio == high and not inclusive):
            return f"the input's scale is {ratio:.3g} times the output's"
    return None


def _scale(tensor: FlatTensor) -> np.float32 | None:
    if tensor.type not in EIGHT_BIT or tensor.quantization is None:
        return None
    return np.float32(tensor.quantization.scale_low)


def _constant(node: Node, position: int) -> npt.NDArray[np.int64] | None:
    tensor = node.input(position)
    found = None if tensor is None else values(tensor)
    return None if found is None else found.astype(np.int64)


def _same_numbers(tensor: FlatTensor, other: FlatTensor) -> bool:
    return (tensor.zero_point, _scale(tensor)) == (other.zero_point, _scale(other))


def _softmax(node: Node) -> str | None:
    beta = getattr(node.operator.options, "beta", 1.0)
    return None if beta == 1 else "a beta other than 1"


def _pool(node: Node) -> str | None:
    options = node.operator.options
    if options is None:
        return None
    larger = options.strideH > options.filterHeight or options.strideW > options.filterWidth
    return "strides larger than the window" if larger else None


def _leaky(node: Node) -> str | None:
    alpha = np.float32(getattr(node.operator.options, "alpha", 0.0))
    given, out = _scale(node.inputs[0]), _scale(node.outputs[0])
    if not np.isfinite(alpha) or abs(alpha) < np.finfo(np.float32).tiny:
        return f"a slope of {alpha:g}"
    if given and out:
        with np.errstate(all="ignore"):
            slope = float(given / out * alpha)
        if not LOWEST_SLOPE <= slope <= HIGHEST_SLOPE or abs(slope) < LEAST_SLOPE:
            return f"the slope is {slope:.3g} in the scale of the output"
    return None


def _strided_slice(node: Node) -> str | None:
    options, strides = node.operator.options, _constant(node, 3)
    if options is not None and (options.ellipsisMask or options.newAxisMask or options.shrinkAxisMask):
        return "it adds or removes dimensions"
    if strides is not None and (strides != 1).any():
        return "strides other than 1"
    rank = len(node.inputs[0].shape)
    parameters = (tensor for at in (1, 2, 3) if (tensor := node.input(at)) is not None)
    return (
        None if all(tensor.shape == (rank,) for tensor in parameters) else "limits of fewer dimensions than the input"
    )


def _slice(node: Node) -> str | None:
    sizes = _constant(node, 2)
    return "a size of 0, or up to the end" if sizes is not None and (sizes <= 0).any() else None


def _reduce(node: Node) -> str | None:
    axes = node.input(1)
    if axes is None:
        return None
    if len(axes.shape) > 1:
        return f"axes of {len(axes.shape)} dimensions"
    count = elements(axes.shape)
    return "no axis to reduce" if count == 0 or (count == 1 and not node.inputs[0].shape) else None


def _pad(node: Node) -> str | None:
    widths, given = _constant(node, 1), node.input(1)
    if given is not None and given.shape != (len(node.inputs[0].shape), 2):
        return "widths of another number of dimensions than the input"
    return "negative widths" if widths is not None and (widths < 0).any() else None


def _reshape(node: Node) -> str | None:
    given, out = node.inputs[0], node.outputs[0]
    if out.type in EIGHT_BIT and not _same_numbers(given, out):
        return "output of another scale or zero point"
    shape = _constant(node, 1)
    if len(node.operator.inputs) == 1:
        given_shape = getattr(node.operator.options, "newShape", None)
        shape = np.asarray([] if given_shape is None else given_shape, np.int64)
    return "to one dimension of any size" if shape is not None and shape.tolist() in ([-1], [0]) else None


def _blocks(node: Node) -> str | None:
    size = getattr(node.operator.options, "blockSize", 0)
    if size <= 1:
        return f"blocks of {size}"
    if node.name == "SPACE_TO_DEPTH" and any(side % size for side in node.inputs[0].shape[1:3]):
        return f"sides that are no multiple of {size}"
    return None


def _concatenation(node: Node) -> str | None:
    out, axis = node.outputs[0], getattr(node.operator.options, "axis", 0)
    if any(axis >= len(tensor.shape) for tensor in node.inputs):
        return "it joins in a new dimension"
    apart = out.type == "UINT8" and not all(_same_numbers(tensor, out) for tensor in node.inputs)
    return "uint8 inputs of other scales or zero points than the output" if apart else None


def _matrices(node: Node) -> str | None:
    first, second = node.input(0), node.input(1)
    if first is None or second is None:
        return "it has no second matrix"
    if first.type != second.type and (first.type, second.type) != ("FLOAT32", "INT8"):
        return "matrices of different types"
    if min(len(first.shape), len(second.shape)) < MATRIX_RANK:
        return "a matrix of fewer than two dimensions"
    scales = second.quantization
    if second.type in EIGHT_BIT and scales is None:
        return "second matrix without scales"
    columns = len(second.shape) - (2 if getattr(node.operator.options, "adjY", False) else 1)
    if scales is not None and scales.axis not in (None, columns):
        return f"scales of the second matrix lie along axis {scales.axis}"
    per_channel = second.type == "INT8" and scales is not None and scales.scales > 1
    if per_channel and first.type == "INT8":
        return "int8 matrices of which one has several scales"
    if second.zero_point and (per_channel or first.type == second.type == "INT8"):
        # As in the kernels of convolutions and dense layers.
        return f"a zero point of {second.zero_point} in the second matrix"
    return None


def _conversion(node: Node) -> str | None:
    given, out = node.inputs[0].type, node.outputs[0].type
    if node.name == "DEQUANTIZE":
        fits = given in EIGHT_BIT and out in FLOATS
    else:
        fits = out in EIGHT_BIT and given in (out, *FLOATS)
    return None if fits else f"{dtype_name(given)} to {dtype_name(out)}"


def _attention(node: Node) -> str | None:
    if len(node.inputs) < 3:  # noqa: PLR2004
        return "attention without query, key or value"
    query, key, value = (tensor.shape for tensor in node.inputs[:3])
    if len({shape[-1:] for shape in (query, key, value)}) > 1:
        return "heads of different sizes"
    if len(node.inputs) > 3 and {key[1:2], value[1:2]} != {node.inputs[3].shape[-1:]}:  # noqa: PLR2004
        return "a mask of another length"
    return None


PARTICULAR: dict[str, Rule] = {
    "SOFTMAX": _softmax,
    **dict.fromkeys(["MAX_POOL_2D", "AVERAGE_POOL_2D"], _pool),
    "LEAKY_RELU": _leaky,
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    **dict.fromkeys(["REDUCE_MIN", "REDUCE_MAX", "SUM", "MEAN"], _reduce),
    "PAD": _pad,
    "RESHAPE": _reshape,
    **dict.fromkeys(["DEPTH_TO_SPACE", "SPACE_TO_DEPTH"], _blocks),
    "CONCATENATION": _concatenation,
    "BATCH_MATMUL": _matrices,
    **dict.fromkeys(["QUANTIZE", "DEQUANTIZE"], _conversion),
    "CUSTOM:odml.scaled_dot_product_attention": _attention,
}
