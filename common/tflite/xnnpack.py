"""Which operators XNNPACK would not take, and why.

The rules are those that tflite/delegates/xnnpack/xnnpack_delegate.cc of LiteRT checks before it takes a node, with
the options of LiteRT's default interpreter (8-bit signed and unsigned quantisation on, resource variables off). They
are held against the runtime named in CHECKED_WITH by the tests. What depends on the machine or on a node's
neighbours is not foreseen: a graph with tensors of unknown size is left to LiteRT's own kernels as a whole.
"""

from collections.abc import Callable

from common.tflite.flat import FlatTensor, Graph
from common.tflite.operators import CONVERSIONS, Node
from common.tflite.tensors import dtype_name, values

CHECKED_WITH = "ai-edge-litert 2.3.0"
EIGHT_BIT = ("INT8", "UINT8")
FLOAT = ("FLOAT32",)
ANY = (*FLOAT, *EIGHT_BIT)
MOST_DIMENSIONS = 6
# ActivationFunctionType of the schema: NONE, RELU, RELU_N1_TO_1, RELU6; XNNPACK fuses no TANH and no SIGN_BIT.
FUSED_ACTIVATIONS = (0, 1, 2, 3)
# Operators whose only condition, besides their own rule below, is the type of what they read and write.
TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        [
            "ABS",
            "CEIL",
            "COS",
            "EXP",
            "FLOOR",
            "GELU",
            "HARD_SWISH",
            "LOG",
            "NEG",
            "RELU_N1_TO_1",
            "RELU",
            "RELU6",
            "ROUND",
            "RSQRT",
            "SIN",
            "SQRT",
            "SQUARE",
        ],
        (*FLOAT, "FLOAT16"),
    ),
    **dict.fromkeys(["AVERAGE_POOL_2D", "SOFTMAX", "DIV", "MAXIMUM", "MINIMUM", "PRELU", "SQUARED_DIFFERENCE"], FLOAT),
    "ELU": (*FLOAT, "INT8"),
    **dict.fromkeys(
        [
            "LOGISTIC",
            "TANH",
            "LEAKY_RELU",
            "ADD",
            "MUL",
            "SUB",
            "CONCATENATION",
            "CONV_2D",
            "DEPTHWISE_CONV_2D",
            "DEPTH_TO_SPACE",
            "FULLY_CONNECTED",
            "MAX_POOL_2D",
            "REDUCE_MIN",
            "REDUCE_MAX",
            "SUM",
            "MEAN",
            "PAD",
            "RESHAPE",
            "RESIZE_BILINEAR",
            "SLICE",
            "SPACE_TO_DEPTH",
            "SPLIT",
            "STRIDED_SLICE",
            "TRANSPOSE",
            "TRANSPOSE_CONV",
        ],
        ANY,
    ),
    "QUANTIZE": ANY,
    "DEQUANTIZE": (*ANY, "FLOAT16"),
    "DENSIFY": (*FLOAT, "FLOAT16"),
    "BATCH_MATMUL": ANY,
}
# Inputs that say how and not what: they must be constant, and their type is no matter.
PARAMETERS = {
    **dict.fromkeys(
        ["REDUCE_MIN", "REDUCE_MAX", "SUM", "MEAN", "PAD", "RESHAPE", "RESIZE_BILINEAR", "TRANSPOSE"], (1,)
    ),
    "SLICE": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "SPLIT": (0,),
    "TRANSPOSE_CONV": (0,),
}
# Kernel and bias by operator; the kernel's scales must lie along its output channels, which are its `axis`.
WEIGHTS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2), "TRANSPOSE_CONV": (1, 3)}
NEEDS_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# How many values CONCATENATION may join and SPLIT may give.
FEWEST_JOINED, MOST_JOINED, MOST_SPLIT = 2, 5, 4
# Constants that XNNPACK unpacks itself.
UNPACKED = ("FLOAT32", "FLOAT16", "INT8")
# A version of FULLY_CONNECTED that means a sparse kernel.
SPARSE_VERSION = 8
# Scale of an input over that of the output: the lowest and the first that is too high.
RATIOS = {"ADD": (2**-10, 2**8), "SUB": (2**-10, 2**8), "QUANTIZE": (2**-8, 2**7), "LEAKY_RELU": (2**-8, 2**7)}


def refusals(graph: Graph, origin: dict[int, int]) -> tuple[str | None, ...]:
    """For each operator why XNNPACK would not take it, None where it would.

    `origin` maps the tensors that DENSIFY and DEQUANTIZE make of constants to these. They count as constant:
    XNNPACK takes what makes them, and does it once, where it takes an operator that reads them.
    """
    made = frozenset(index for index, source in origin.items() if graph.tensors[source].type in UNPACKED)
    found: list[str | None] = []
    needed: set[int] = set()
    for operator in reversed(graph.operators):
        if operator.name in CONVERSIONS and operator.outputs and operator.outputs[0] in made:
            reason = None if operator.outputs[0] in needed else "nothing that XNNPACK takes reads it"
        else:
            reason = _refusal(Node(graph, operator), made)
        if reason is None:
            needed.update(operator.inputs)
        found.append(reason)
    return tuple(reversed(found))


def _refusal(node: Node, made: frozenset[int]) -> str | None:
    if node.name not in TYPES:
        return "XNNPACK has no such operator"
    return next((reason for rule in RULES if (reason := rule(node)) is not None), _constants(node, made))


def _types(node: Node) -> str | None:
    skipped = {*PARAMETERS.get(node.name, ()), *WEIGHTS.get(node.name, ())}
    if node.name == "BATCH_MATMUL":
        skipped.add(1)
    positions = range(len(node.operator.inputs))
    read = [tensor for at in positions if at not in skipped and (tensor := node.input(at)) is not None]
    for what, tensors in (("input", read), ("output", node.outputs)):
        for tensor in tensors:
            if tensor.type not in TYPES[node.name]:
                return f"{dtype_name(tensor.type)} {what}"
            if tensor.type in EIGHT_BIT and (tensor.quantization is None or tensor.quantization.scales != 1):
                return f"{what} without a single scale"
            if len(tensor.shape) > MOST_DIMENSIONS:
                return f"{what} of more than {MOST_DIMENSIONS} dimensions"
    moving = {tensor.type for tensor in (*read, *node.outputs)}
    return "input and output of different types" if len(moving) > 1 and node.name not in CONVERSIONS else None


def _constants(node: Node, made: frozenset[int]) -> str | None:
    for position in (*PARAMETERS.get(node.name, ()), *WEIGHTS.get(node.name, ())):
        tensor = node.input(position)
        if tensor is not None and not tensor.constant and node.operator.inputs[position] not in made:
            return f"input {position} is computed, not constant"
    return None


def _kernel(node: Node) -> str | None:
    if node.name not in WEIGHTS:
        return None
    kernel, bias = (node.input(position) for position in WEIGHTS[node.name])
    given = node.input(2 if node.name == "TRANSPOSE_CONV" else 0)
    if kernel is None or given is None:
        return "it has no kernel"
    if bias is None and node.name in NEEDS_BIAS:
        return "it has no bias"
    if node.name == "FULLY_CONNECTED" and node.operator.version == SPARSE_VERSION:
        return "sparse kernel"
    if len(kernel.shape) != (2 if node.name == "FULLY_CONNECTED" else 4):
        return f"kernel of {len(kernel.shape)} dimensions"
    return _kernel_type(node.name, kernel, given)


def _kernel_type(name: str, kernel: FlatTensor, given: FlatTensor) -> str | None:
    # Integer kernels of float operators are run with activations that are quantised on the fly.
    integer = {"FULLY_CONNECTED": ("INT8", "INT4"), "CONV_2D": ("INT8",), "TRANSPOSE_CONV": ("INT8",)}
    if kernel.type != given.type and not (
        kernel.type in integer.get(name, ())
        and (given.type == "FLOAT32" or (given.type == "INT8" and name == "FULLY_CONNECTED"))
    ):
        return f"{dtype_name(kernel.type)} kernel with {dtype_name(given.type)} input"
    scales = kernel.quantization
    if kernel.type == "FLOAT32" or (scales is not None and scales.block is not None):
        return None
    if scales is None:
        return "kernel without scales"
    if scales.axis not in (None, 3 if name == "DEPTHWISE_CONV_2D" else 0):
        return f"scales of the kernel lie along axis {scales.axis}"
    if kernel.type == "INT4" and (scales.scales != kernel.shape[0] or kernel.shape[1] % 2):
        return "int4 kernel with one scale for all or an odd number of inputs"
    return None


def _activation(node: Node) -> str | None:
    fused = getattr(node.operator.options, "fusedActivationFunction", 0)
    return None if fused in FUSED_ACTIVATIONS else "fused TANH or SIGN_BIT"


def _particular(node: Node) -> str | None:
    options, reason = node.operator.options, None
    match node.name:
        case "SOFTMAX" if options is not None and options.beta != 1:
            reason = "a beta other than 1"
        case "MAX_POOL_2D" | "AVERAGE_POOL_2D" if options is not None:
            larger = options.strideH > options.filterHeight or options.strideW > options.filterWidth
            reason = "strides larger than the window" if larger else None
        case "STRIDED_SLICE":
            reason = _strided_slice(node)
        case "BATCH_MATMUL":
            reason = _matrices(node)
        case "CONCATENATION" if not FEWEST_JOINED <= len(node.inputs) <= MOST_JOINED:
            reason = f"{len(node.inputs)} inputs; XNNPACK joins {FEWEST_JOINED} to {MOST_JOINED}"
        case "SPLIT" if len(node.outputs) > MOST_SPLIT:
            reason = f"{len(node.outputs)} outputs; XNNPACK splits into at most {MOST_SPLIT}"
    return reason


def _matrices(node: Node) -> str | None:
    first, second = node.input(0), node.input(1)
    if first is None or second is None:
        return "it has no second matrix"
    if first.type == second.type:
        # As in the kernels of convolutions and dense layers.
        return f"a zero point of {second.zero_point} in the second matrix" if second.zero_point else None
    return None if (first.type, second.type) == ("FLOAT32", "INT8") else "matrices of different types"


def _strided_slice(node: Node) -> str | None:
    options, strides = node.operator.options, node.input(3)
    if options is not None and (options.ellipsisMask or options.newAxisMask or options.shrinkAxisMask):
        return "it adds or removes dimensions"
    given = None if strides is None else values(strides)
    return "strides other than 1" if given is not None and (given != 1).any() else None


def _conversion(node: Node) -> str | None:
    if node.name not in CONVERSIONS or not node.inputs or not node.outputs:
        return None
    given, out = node.inputs[0].type, node.outputs[0].type
    wanted = {"QUANTIZE": EIGHT_BIT, "DEQUANTIZE": FLOAT}.get(node.name, ())
    if out not in wanted or (given not in EIGHT_BIT if node.name == "DEQUANTIZE" else given not in (out, *FLOAT)):
        return f"{dtype_name(given)} to {dtype_name(out)}"
    return None


def _ratio(node: Node) -> str | None:
    """Integer arithmetic has room for some ratios of scales only."""
    if node.name not in RATIOS or not node.outputs:
        return None
    low, high = RATIOS[node.name]
    out = node.outputs[0].quantization
    for tensor in node.inputs:
        scales = tensor.quantization
        if tensor.type in EIGHT_BIT and scales is not None and out is not None and out.scale_low > 0:
            ratio = scales.scale_low / out.scale_low
            if not low <= ratio < high:
                return f"the input's scale is {ratio:.3g} times the output's"
    return None


Rule = Callable[[Node], str | None]
RULES: tuple[Rule, ...] = (_types, _kernel, _activation, _particular, _conversion, _ratio)
