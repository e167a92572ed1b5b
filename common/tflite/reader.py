"""What really is in a .tflite file, read from the flatbuffer and not from the recipe."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from common.errors import EdgeproofError
from common.schema.tflite import Operator, Port, Proof, Tensor
from common.tflite import cost
from common.tflite.flat import DAMAGE, FlatFile, FlatTensor, Graph, parse
from common.tflite.operators import KERNELS, Node, domain, sources, stored
from common.tflite.proof import proof
from common.tflite.tensors import describe, dtype_name, rows, weight_bytes
from common.tflite.xnnpack import refusals
from common.tflite.xnnpack_sparse import sparse_refusal

# Tensors may share a buffer; no sound file has its values counted this often.
MOST_PASSES = 64


@dataclass(frozen=True)
class Kernel:
    """A constant kernel and the operator that reads it.

    `rows` [output channels, ...] are its values less the zero point, so that zeros are zeros; None where
    they cannot be read.
    """

    operator: str
    tensor: Tensor
    rows: npt.NDArray[Any] | None


@dataclass(frozen=True)
class Inspection:
    """A file's constant tensors, its kernels among them, its ports and its operators.

    Tensors and operators are those of all subgraphs, ports those of the first. `operators` counts
    by name, `table` lists one by one, `proof` sums up.
    """

    tensors: tuple[Tensor, ...]
    kernels: tuple[Kernel, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, int]
    table: tuple[Operator, ...]
    proof: Proof


def inspect(content: bytes) -> Inspection:
    """Read a .tflite file. Raises EdgeproofError when it is not one, or damaged."""
    file = parse(content)
    try:
        return _Reader(content, file).inspection()
    except DAMAGE as error:
        raise EdgeproofError(f"damaged .tflite file: {error}") from None


class _Reader:
    def __init__(self, content: bytes, file: FlatFile) -> None:
        self._content = content
        self._file = file
        self._left = MOST_PASSES * len(content)
        self._counted: dict[tuple[object, ...], Tensor | None] = {}
        self._made = [sources(graph) for graph in file.graphs]

    def inspection(self) -> Inspection:
        main = self._file.graphs[0]
        tensors, kernels = [], []
        for graph, made in zip(self._file.graphs, self._made, strict=True):
            axes = dict(_kernel_axes(graph, made))
            described = {index: self._describe(graph, index, axes) for index in range(len(graph.tensors))}
            tensors += [tensor for tensor in described.values() if tensor is not None]
            for i, (name, axis) in axes.items():
                if (tensor := described[i]) is not None:
                    kernels.append(Kernel(name, tensor, rows(graph.tensors[i], axis)))
        table = tuple(self._table())
        nodes = tuple(Node(main, operator) for operator in main.operators)
        return Inspection(
            tensors=tuple(tensors),
            kernels=tuple(kernels),
            inputs=tuple(_port(main.tensors[index]) for index in main.inputs),
            outputs=tuple(_port(main.tensors[index]) for index in main.outputs),
            operators=dict(sorted(Counter(operator.name for operator in table).items())),
            table=table,
            proof=proof(self._content, self._file, table, sparse_refusal(nodes, self._made[0])),
        )

    def _describe(self, graph: Graph, index: int, axes: dict[int, tuple[str, int]]) -> Tensor | None:
        tensor = graph.tensors[index]
        axis = axes[index][1] if index in axes else None
        if tensor.data is None:
            return None
        key = (tensor.buffer, tensor.type, tensor.shape, tensor.zero_point, axis)
        if tensor.sparsity is None and key in self._counted:
            known = self._counted[key]
            update = {"name": tensor.name, "quantization": tensor.quantization}
            return None if known is None else known.model_copy(update=update)
        self._left -= len(tensor.data)
        if self._left < 0:
            raise ValueError("its tensors share more data than it holds")
        self._counted[key] = describe(tensor, axis)
        return self._counted[key]

    def _table(self) -> Iterator[Operator]:
        for number, (graph, made) in enumerate(zip(self._file.graphs, self._made, strict=True)):
            reasons = refusals(graph)
            for index, (operator, reason) in enumerate(zip(graph.operators, reasons, strict=True)):
                node = Node(graph, operator)
                read = node.activations or node.inputs
                yield Operator(
                    subgraph=number,
                    index=index,
                    name=node.name,
                    input_type=dtype_name(read[0].type) if read else None,
                    output_type=dtype_name(node.outputs[0].type) if node.outputs else None,
                    domain=domain(node),
                    macs=cost.macs(node),
                    weight_bytes=weight_bytes(stored(graph, made, operator)),
                    refusal=reason,
                )


def _kernel_axes(graph: Graph, made: dict[int, int]) -> Iterator[tuple[int, tuple[str, int]]]:
    for operator in graph.operators:
        if operator.name in KERNELS:
            position, axis = KERNELS[operator.name]
            index = operator.inputs[position]
            yield made.get(index, index), (operator.name, axis)


def _port(tensor: FlatTensor) -> Port:
    scaled = tensor.quantization
    return Port(
        name=tensor.name,
        shape=tensor.shape,
        dtype=dtype_name(tensor.type),
        scale=None if scaled is None else scaled.scale_low,
        zero_point=None if scaled is None else tensor.zero_point,
        open_shape=tensor.open_shape if -1 in tensor.open_shape else (),
    )
