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
    moving = (*node.activations, *node.outputs)
    quantised = {tensor.type for tensor in moving if tensor.quantization is not None}
    if quantised & {"INT8", "UINT8"}:
        return "int8"
    if "INT16" in quantised:
        return "int16x8"
    if not any(tensor.type == "FLOAT32" for tensor in moving):
        return "other"
    kernel = node.input(KERNELS[node.name][0]) if node.name in KERNELS else None
    if node.name == "BATCH_MATMUL":
        kernel = node.input(1)
    return "hybrid" if kernel is not None and kernel.type in INTEGER_KERNELS else "float32"
