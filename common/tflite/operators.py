"""What an operator reads and in which numbers it computes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from common.schema.tflite import Domain
from common.tflite.flat import FlatOperator, FlatTensor, Graph

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "DENSIFY")
# Which input of an operator is its kernel, and along which axis its output channels lie.
KERNELS = {"CONV_2D": (1, 0), "FULLY_CONNECTED": (1, 0), "DEPTHWISE_CONV_2D": (1, 3), "TRANSPOSE_CONV": (1, 0)}
INTEGER_KERNELS = ("INT8", "UINT8", "INT4", "UINT4", "INT2")
# Where all others that multiply weights take these (tflite/kernels of LiteRT, the constants named k...Tensor).
# Matrices of a recurrent cell: those of the inputs, of its state, and of its projection.
BOTH_WAYS = (*range(1, 9), 16, *range(18, 26), 33, *range(40, 48))
WEIGHTS: dict[str, tuple[int, ...]] = {
    **{name: (position,) for name, (position, _) in KERNELS.items()},
    "BATCH_MATMUL": (1,),
    "CONV_3D": (1,),
    "CONV_3D_TRANSPOSE": (1,),
    "EMBEDDING_LOOKUP": (1,),
    "EMBEDDING_LOOKUP_SPARSE": (3,),
    "RNN": (1, 2),
    "SVDF": (1, 2),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
    "BIDIRECTIONAL_SEQUENCE_RNN": (1, 2, 5, 6, 10, 11),
    "LSTM": (*range(1, 9), 16),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (*range(1, 9), 16),
    "BIDIRECTIONAL_SEQUENCE_LSTM": BOTH_WAYS,
    "CUSTOM:Convolution2DTransposeBias": (1,),
}
# Of five inputs only, an LSTM has the matrix of all its gates in one (LSTMKernelType BASIC).
BASIC_LSTM, BASIC_WEIGHTS = 5, (2,)
# What reads no values but a tensor's sides, and what only calls other subgraphs.
SHAPES = ("SHAPE", "RANK")
CALLS = ("CALL", "CALL_ONCE", "IF", "WHILE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE", "STABLEHLO_CASE")


@dataclass(frozen=True)
class Node:
    """An operator in its graph."""

    graph: Graph
    operator: FlatOperator

    @property
    def name(self) -> str:
        """The operator's name in the schema."""
        return self.operator.name

    def input(self, position: int) -> FlatTensor | None:
        """The tensor at an input; None where it is left out."""
        inputs = self.operator.inputs
        return self.graph.tensors[inputs[position]] if position < len(inputs) and inputs[position] >= 0 else None

    @cached_property
    def inputs(self) -> tuple[FlatTensor, ...]:
        """All inputs that are not left out."""
        return tuple(self.graph.tensors[index] for index in self.operator.inputs if index >= 0)

    @cached_property
    def outputs(self) -> tuple[FlatTensor, ...]:
        """All outputs that are not left out."""
        return tuple(self.graph.tensors[index] for index in self.operator.outputs if index >= 0)

    @property
    def activations(self) -> tuple[FlatTensor, ...]:
        """The inputs that are computed."""
        return tuple(tensor for tensor in self.inputs if not tensor.constant)


def sources(graph: Graph) -> dict[int, int]:
    """Tensor index to the constant that it is made of by DENSIFY and DEQUANTIZE alone, for those that are.

    A float16 or sparse file stores its kernels behind these.
    """
    found: dict[int, int] = {}
    for operator in graph.operators:
        if operator.name in ("DEQUANTIZE", "DENSIFY") and operator.inputs and operator.outputs:
            given = found.get(operator.inputs[0], operator.inputs[0])
            if given >= 0 and graph.tensors[given].constant:
                found[operator.outputs[0]] = given
    return found


def stored(graph: Graph, made: dict[int, int], operator: FlatOperator) -> Iterator[FlatTensor]:
    """The constants that an operator reads, as they stand in the file; `made` is what `sources` gives."""
    for index in dict.fromkeys(made.get(index, index) for index in operator.inputs):
        if index >= 0 and graph.tensors[index].constant:
            yield graph.tensors[index]


def domain(node: Node) -> Domain:
    """In which numbers an operator computes, by the types of what it reads and writes."""
    if node.name in CONVERSIONS:
        return "conversion"
    if node.name in SHAPES or node.name in CALLS:
        return "other"
    # Weights may be computed too: unpacked from sparse ones by DENSIFY.
    kernels = weights(node)
    read = (tensor for tensor in node.activations if not any(tensor is kernel for kernel in kernels))
    moving = (*read, *node.outputs)
    quantised = {tensor.type for tensor in moving if tensor.quantization is not None}
    if quantised & {"INT8", "UINT8"}:
        return "int8"
    if "INT16" in quantised:
        return "int16x8"
    if not any(tensor.type == "FLOAT32" for tensor in moving):
        return "other"
    return "hybrid" if any(kernel.type in INTEGER_KERNELS for kernel in kernels) else "float32"


def weights(node: Node) -> tuple[FlatTensor, ...]:
    """The tensors that an operator multiplies what moves with; empty where it has none or leaves them out."""
    return tuple(node.graph.tensors[index] for index in weight_indices(node))


def weight_indices(node: Node) -> tuple[int, ...]:
    """The same by their places in the graph."""
    positions, inputs = WEIGHTS.get(node.name, ()), node.operator.inputs
    if node.name == "LSTM" and len(inputs) == BASIC_LSTM:
        positions = BASIC_WEIGHTS
    return tuple(inputs[position] for position in positions if position < len(inputs) and inputs[position] >= 0)
