"""Why XNNPACK would not take an operator for its kernel or bias. Part of the rules of `xnnpack.py`."""

from common.tflite.flat import FlatTensor
from common.tflite.operators import Node
from common.tflite.tensors import dtype_name

# Places of kernel and bias, and of what is multiplied with the kernel, 0 elsewhere.
KERNELS = {
    **dict.fromkeys(
        ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CUSTOM:Convolution2DTransposeBias"], 1
    ),
    "PRELU": 1,
}
BIASES = {**dict.fromkeys(KERNELS, 2), "TRANSPOSE_CONV": 3, "PRELU": -1}
ACTIVATIONS = {"TRANSPOSE_CONV": 2}
NEEDS_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D", "CUSTOM:Convolution2DTransposeBias")
# Integer kernels of float operators are run with activations that are quantised on the fly.
OTHER_KERNELS = {
    **{("FULLY_CONNECTED", given): ("INT8", "INT4", "INT2") for given in ("FLOAT32", "FLOAT16", "INT8")},
    ("CONV_2D", "FLOAT32"): ("INT8",),
    ("TRANSPOSE_CONV", "FLOAT32"): ("INT8",),
}
# A version of FULLY_CONNECTED that means a sparse kernel.
SPARSE_VERSION = 8
# Values of a kernel in a byte: rows must end with one.
PER_BYTE = {"INT4": 2, "INT2": 4}
FLOATS = ("FLOAT32", "FLOAT16")
BLOCK = 32
# Of the scales that float32 holds with all their digits.
SMALLEST = 2.0**-126


def not_normal(tensor: FlatTensor) -> bool:
    """Whether a scale is none: not finite, below zero, or so small that it is as good as zero."""
    found = tensor.quantization
    return found is not None and (found.not_finite > 0 or found.scale_low < SMALLEST)


def kernel_refusal(kind: str, node: Node, stored: frozenset[int]) -> str | None:
    """The first reason; None where there is none, and for operators without a kernel. `stored` are the tensors that
    XNNPACK unpacks itself, which count as constant."""
    if kind not in KERNELS:
        return None
    kernel, bias = node.input(KERNELS[kind]), node.input(BIASES[kind]) if BIASES[kind] > 0 else None
    given = node.input(ACTIVATIONS.get(kind, 0))
    if kernel is None or given is None:
        return "it has no kernel"
    for position, tensor in ((KERNELS[kind], kernel), (BIASES[kind], bias)):
        if tensor is not None and not tensor.constant and node.operator.inputs[position] not in stored:
            return f"input {position} is computed, not constant"
    if kind == "PRELU":
        return None if kernel.type in FLOATS else f"{dtype_name(kernel.type)} input"
    return (
        _shape(kind, node, kernel)
        or _type(kind, kernel, given)
        or _scales(kind, kernel, given)
        or _bias(kind, bias, kernel)
    )


def _shape(kind: str, node: Node, kernel: FlatTensor) -> str | None:
    options, given = node.operator.options, node.input(ACTIVATIONS.get(kind, 0))
    if len(kernel.shape) != (2 if kind == "FULLY_CONNECTED" else 4):
        return f"kernel of {len(kernel.shape)} dimensions"
    if 0 in kernel.shape:
        return "kernel without values"
    if kind == "FULLY_CONNECTED":
        if node.operator.version == SPARSE_VERSION:
            return "sparse kernel"
        if getattr(options, "weightsFormat", 0):
            return "shuffled kernel"
        return "a row of the kernel ends within a byte" if kernel.shape[1] % PER_BYTE.get(kernel.type, 1) else None
    if kind == "CONV_2D" and given is not None and given.shape[3] < kernel.shape[3]:
        return "fewer input channels than the kernel's"
    multiplier = getattr(options, "depthMultiplier", 1)
    if kind == "DEPTHWISE_CONV_2D" and (multiplier <= 0 or kernel.shape[3] % multiplier):
        return "a depth multiplier that does not fit the kernel"
    return None


def _type(kind: str, kernel: FlatTensor, given: FlatTensor) -> str | None:
    if kernel.type == given.type or kernel.type in OTHER_KERNELS.get((kind, given.type), ()):
        return None
    return f"{dtype_name(kernel.type)} kernel with {dtype_name(given.type)} input"


def _scales(kind: str, kernel: FlatTensor, given: FlatTensor) -> str | None:
    scales = kernel.quantization
    if kernel.type in FLOATS:
        return None
    if scales is None:
        return "kernel without scales"
    if scales.block is not None:
        return f"blocks of {scales.block}, no multiple of {BLOCK}" if scales.block % BLOCK else None
    if not_normal(kernel):
        return "kernel with a scale that is not above zero"
    channels = 3 if kind == "DEPTHWISE_CONV_2D" else 0
    if scales.axis == channels and scales.scales != kernel.shape[channels]:
        return f"{scales.scales} scales for {kernel.shape[channels]} channels of the kernel"
    if scales.axis not in (None, channels):
        return f"scales of the kernel lie along axis {scales.axis}"
    if kernel.type == "UINT8" and scales.scales != 1:
        return "kernel without a single scale"
    if kernel.type == "INT2" and scales.scales != kernel.shape[0]:
        return "int2 kernel with one scale for all"
    # Dense layers are asked for it where they compute in int8, all others where each channel has a scale.
    symmetric = given.type == "INT8" if kind == "FULLY_CONNECTED" else scales.scales > 1
    if kernel.type == "INT8" and symmetric and kernel.zero_point:
        return f"a zero point of {kernel.zero_point} in the kernel"
    return None


def _bias(kind: str, bias: FlatTensor | None, kernel: FlatTensor) -> str | None:
    if bias is None:
        return "it has no bias" if kind in NEEDS_BIAS else None
    if kind != "FULLY_CONNECTED" and len(bias.shape) != 1:
        return f"bias of {len(bias.shape)} dimensions"
    if bias.type not in (*FLOATS, "INT32"):
        return f"{dtype_name(bias.type)} bias"
    if bias.type == "INT32" and bias.quantization is None:
        return "bias without a scale"
    if kernel.type in FLOATS and bias.type != kernel.type and (kernel.type, bias.type) != ("FLOAT16", "FLOAT32"):
        return f"{dtype_name(bias.type)} bias with {dtype_name(kernel.type)} kernel"
    return None
