"""Which operators XNNPACK would not take, and why.

The rules are those that tflite/delegates/xnnpack/xnnpack_delegate.cc of LiteRT checks before it takes a node, with
the options of LiteRT's default interpreter (8-bit signed and unsigned quantisation on, kernels that are computed off).
They are held against the runtime named in CHECKED_WITH by the tests. Where a runtime can be asked, its answer counts
and the rules only give the reason (`delegated.py`). What depends on the machine is not foreseen.
"""

from collections import Counter
from collections.abc import Callable

from common.schema.tflite import Operator, Refusal, RulesAlone
from common.tflite.flat import Graph
from common.tflite.operators import CONVERSIONS, Node
from common.tflite.tensors import dtype_name
from common.tflite.xnnpack_kernels import BIASES, KERNELS, kernel_refusal, not_normal
from common.tflite.xnnpack_rules import PARTICULAR, ratio_refusal
from common.tflite.xnnpack_variables import VARIABLES, variable_refusals

CHECKED_WITH = "ai-edge-litert 2.3.0"
BY_RULE = RulesAlone(rules=CHECKED_WITH, why="the file was only read")
EIGHT_BIT = ("INT8", "UINT8")
FLOATS = ("FLOAT32", "FLOAT16")
ANY = (*FLOATS, *EIGHT_BIT)
NO_HALVES = ("FLOAT32", *EIGHT_BIT)
MOST_DIMENSIONS = 6
# ActivationFunctionType of the schema: NONE, RELU, RELU_N1_TO_1, RELU6; XNNPACK fuses no TANH and no SIGN_BIT.
FUSED_ACTIVATIONS = (0, 1, 2, 3)
ATTENTION = "odml.scaled_dot_product_attention"
UNARY = (
    *("ABS", "CEIL", "COS", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LOG", "NEG", "RELU_N1_TO_1", "RELU", "RELU6"),
    *("ROUND", "RSQRT", "SIN", "SQRT", "SQUARE", "ELU", "LOGISTIC", "TANH", "LEAKY_RELU", "QUANTIZE", "DEQUANTIZE"),
)
BINARY = ("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM", "PRELU", "SQUARED_DIFFERENCE")
REDUCTIONS = ("REDUCE_MIN", "REDUCE_MAX", "SUM", "MEAN")
# What an operator may read and write, but for its parameters, kernel and bias.
TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(UNARY, FLOATS),
    **dict.fromkeys(["LOGISTIC", "TANH", "LEAKY_RELU", "QUANTIZE", "DEQUANTIZE"], ANY),
    "ELU": (*FLOATS, "INT8"),
    **dict.fromkeys(BINARY, FLOATS),
    **dict.fromkeys(["ADD", "MUL", "SUB", *REDUCTIONS], ANY),
    **dict.fromkeys(["AVERAGE_POOL_2D", "SOFTMAX"], FLOATS),
    **dict.fromkeys(
        [
            *("BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "FULLY_CONNECTED"),
            *("PAD", "RESHAPE", "SLICE", "SPLIT", "STRIDED_SLICE", "TRANSPOSE"),
        ],
        ANY,
    ),
    **dict.fromkeys(["MAX_POOL_2D", "RESIZE_BILINEAR", "SPACE_TO_DEPTH", "TRANSPOSE_CONV"], NO_HALVES),
    **dict.fromkeys(
        ["CUSTOM:Convolution2DTransposeBias", "CUSTOM:MaxPoolingWithArgmax2D", "CUSTOM:MaxUnpooling2D"], ("FLOAT32",)
    ),
    f"CUSTOM:{ATTENTION}": ("FLOAT32",),
}
# Inputs that say how and not what: they must be constant in the file, and of these types.
INT32, INT64 = ("INT32",), ("INT32", "INT64")
PARAMETERS: dict[str, dict[int, tuple[str, ...]]] = {
    **{name: {1: INT32} for name in (*REDUCTIONS, "PAD", "RESHAPE", "RESIZE_BILINEAR", "TRANSPOSE")},
    "SLICE": {1: INT64, 2: INT64},
    "STRIDED_SLICE": {1: INT32, 2: INT32, 3: INT32},
    "SPLIT": {0: INT32},
    "TRANSPOSE_CONV": {0: INT32},
}
# Fewest and most inputs, and outputs, a left out one among them.
COUNTS: dict[str, tuple[int, int, int, int]] = {
    **dict.fromkeys([*UNARY, "AVERAGE_POOL_2D", "MAX_POOL_2D", "SOFTMAX"], (1, 1, 1, 1)),
    **dict.fromkeys(["DEPTH_TO_SPACE", "SPACE_TO_DEPTH"], (1, 1, 1, 1)),
    **dict.fromkeys([*BINARY, *REDUCTIONS, "PAD", "RESIZE_BILINEAR", "TRANSPOSE"], (2, 2, 1, 1)),
    "CONCATENATION": (2, 5, 1, 1),
    **dict.fromkeys(["CONV_2D", "DEPTHWISE_CONV_2D", "CUSTOM:Convolution2DTransposeBias"], (3, 3, 1, 1)),
    "FULLY_CONNECTED": (2, 3, 1, 1),
    "RESHAPE": (1, 2, 1, 1),
    "SPLIT": (2, 2, 2, 4),
    "SLICE": (3, 3, 1, 1),
    "STRIDED_SLICE": (4, 4, 1, 1),
    "BATCH_MATMUL": (2, 2, 1, 1),
    f"CUSTOM:{ATTENTION}": (3, 4, 1, 1),
    "TRANSPOSE_CONV": (3, 4, 1, 1),
    "CUSTOM:MaxPoolingWithArgmax2D": (1, 1, 2, 2),
    "CUSTOM:MaxUnpooling2D": (2, 2, 1, 1),
}
# Fewest and most dimensions, of inputs that are no parameter, kernel or bias, and of outputs; no side of 0 then.
RANKS: dict[str, tuple[tuple[int, int] | None, tuple[int, int] | None]] = {
    **dict.fromkeys([*UNARY, *BINARY], ((0, MOST_DIMENSIONS), None)),
    **dict.fromkeys(["CONV_2D", "DEPTHWISE_CONV_2D", "RESIZE_BILINEAR", "TRANSPOSE_CONV"], ((4, 4), (4, 4))),
    **dict.fromkeys([name for name in TYPES if name.startswith("CUSTOM:M")], ((4, 4), (4, 4))),
    "CUSTOM:Convolution2DTransposeBias": ((4, 4), (4, 4)),
    "PAD": ((1, MOST_DIMENSIONS), (1, MOST_DIMENSIONS)),
    "RESHAPE": ((0, MOST_DIMENSIONS), (0, MOST_DIMENSIONS)),
    "TRANSPOSE": ((1, MOST_DIMENSIONS), None),
}
# Places whose type is no matter, though neither parameter nor kernel.
UNTYPED = {"CUSTOM:MaxPoolingWithArgmax2D": ("output", 1), "CUSTOM:MaxUnpooling2D": ("input", 1)}
# Types of different ends that XNNPACK converts between, or does not compare.
MIXED = (*CONVERSIONS, "BATCH_MATMUL", *UNTYPED)


def refusals(graph: Graph) -> tuple[str | None, ...]:
    """For each operator why XNNPACK would not take it, None where it would.

    What DEQUANTIZE and DENSIFY make of constants counts as constant: XNNPACK does it once, and takes these operators
    unless one that it leaves reads what they make.
    """
    unpacking = _unpacking(graph)
    stored, unpackers = frozenset(unpacking), frozenset(unpacking.values())
    variables = variable_refusals(graph)
    found: dict[int, str | None] = {}
    for at, operator in enumerate(graph.operators):
        if at in unpackers:
            found.setdefault(at, None)
            continue
        found[at] = variables[at] if operator.name in VARIABLES else _refusal(Node(graph, operator), stored)
        if found[at] is not None:
            found |= {unpacking[index]: "XNNPACK leaves what reads it" for index in operator.inputs if index in stored}
    return tuple(found[at] for at in range(len(graph.operators)))


def refused(table: tuple[Operator, ...]) -> tuple[Refusal, ...]:
    """The operators that XNNPACK does not surely take, counted by name, reason and the runtime's answer."""
    found = Counter((op.name, op.refusal, op.taken) for op in table if op.verdict != "takes")
    return tuple(
        Refusal(operator=name, reason=reason, count=count, taken=taken)
        for (name, reason, taken), count in found.items()
    )


def _unpacking(graph: Graph) -> dict[int, int]:
    """Tensor to the operator that makes it of a constant, for those that XNNPACK does itself."""
    found: dict[int, int] = {}
    for at, operator in enumerate(graph.operators):
        if operator.name not in ("DEQUANTIZE", "DENSIFY") or (len(operator.inputs), len(operator.outputs)) != (1, 1):
            continue
        [given], [made] = Node(graph, operator).inputs or [None], Node(graph, operator).outputs or [None]
        if given is None or made is None:
            continue
        sparse = given.sparsity is not None
        if operator.name == "DENSIFY":
            known = given.constant and sparse and given.type in (*FLOATS, "INT8") and made.type == given.type
        else:
            packed = given.type == "FLOAT16" or (given.type == "INT8" and given.quantization is not None)
            held = (given.constant or operator.inputs[0] in found) and not sparse
            known = held and packed and made.type == "FLOAT32"
        if known:
            found[operator.outputs[0]] = at
    return found


def _refusal(node: Node, stored: frozenset[int]) -> str | None:
    kind = _kind(node)
    if kind not in TYPES:
        # DENSIFY of a sparse constant, and what else XNNPACK unpacks itself, is told before.
        return "no sparse constant" if kind == "DENSIFY" else "XNNPACK has no such operator"
    rules: tuple[Callable[[], str | None], ...] = (
        lambda: _counts(kind, node),
        lambda: _types(kind, node),
        lambda: _ranks(kind, node),
        lambda: _parameters(kind, node),
        lambda: kernel_refusal(kind, node, stored),
        lambda: _activation(node),
        lambda: PARTICULAR[kind](node) if kind in PARTICULAR else None,
        lambda: ratio_refusal(node),
    )
    return next((reason for rule in rules if (reason := rule()) is not None), None)


def _kind(node: Node) -> str:
    """The operator's name, or that of the custom operator that a composite stands for."""
    name = getattr(node.operator.options, "name", None)
    return f"CUSTOM:{ATTENTION}" if node.name == "STABLEHLO_COMPOSITE" and name == ATTENTION.encode() else node.name


def _counts(kind: str, node: Node) -> str | None:
    low, high, fewest, most = COUNTS[kind]
    for what, places, least, greatest in (
        ("input", node.operator.inputs, low, high),
        ("output", node.operator.outputs, fewest, most),
    ):
        count = len(places)
        if not least <= count <= greatest:
            wanted = str(least) if least == greatest else f"{least} to {greatest}"
            return f"{count} {what}{'' if count == 1 else 's'}, not {wanted}"
        if -1 in places[:least] and not (kind in KERNELS and places.index(-1) == BIASES[kind]):
            return f"{what} {places.index(-1)} is left out"
    return None


def _types(kind: str, node: Node) -> str | None:
    skipped = {*PARAMETERS.get(kind, ()), KERNELS.get(kind), BIASES.get(kind)}
    read = [node.input(at) for at in range(len(node.operator.inputs)) if at not in skipped]
    if kind == "BATCH_MATMUL":
        read = read[:1]
    moving = set()
    for what, tensors in (("input", read), ("output", node.outputs)):
        for at, tensor in enumerate(tensors):
            if tensor is None or UNTYPED.get(kind) == (what, at):
                continue
            if tensor.type not in TYPES[kind]:
                return f"{dtype_name(tensor.type)} {what}"
            if tensor.type in EIGHT_BIT and (tensor.quantization is None or tensor.quantization.scales != 1):
                return f"{what} without a single scale"
            if tensor.type in EIGHT_BIT and not_normal(tensor):
                return f"{what} with a scale that is not above zero"
            if len(tensor.shape) > MOST_DIMENSIONS:
                return f"{what} of more than {MOST_DIMENSIONS} dimensions"
            moving.add(tensor.type)
    return "input and output of different types" if len(moving) > 1 and kind not in MIXED else None


def _ranks(kind: str, node: Node) -> str | None:
    skipped = {*PARAMETERS.get(kind, ()), KERNELS.get(kind), BIASES.get(kind)}
    read = tuple(node.input(at) for at in range(len(node.operator.inputs)) if at not in skipped)
    sides = RANKS.get(kind, (None, None))
    for what, tensors, rank in (("input", read, sides[0]), ("output", node.outputs, sides[1])):
        for tensor in tensors:
            if tensor is None or rank is None:
                continue
            if not rank[0] <= len(tensor.shape) <= rank[1]:
                return f"{what} of {len(tensor.shape)} dimensions" if tensor.shape else f"{what} without a shape"
            if 0 in tensor.shape:
                return f"{what} without values"
    return None


def _parameters(kind: str, node: Node) -> str | None:
    for position, types in PARAMETERS.get(kind, {}).items():
        tensor = node.input(position)
        if tensor is None:
            continue
        if not tensor.constant:
            return f"input {position} is computed, not constant"
        if tensor.type not in types:
            return f"{dtype_name(tensor.type)} at input {position}"
    return None


def _activation(node: Node) -> str | None:
    fused = getattr(node.operator.options, "fusedActivationFunction", 0)
    return None if fused in FUSED_ACTIVATIONS else "fused TANH or SIGN_BIT"
