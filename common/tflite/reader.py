"""What really is in a .tflite file, read from the flatbuffer and not from the recipe."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from common.schema.tflite import FileSignature, Operator, Port, Proof, Subgraph, Tensor
from common.tflite.constants import describe, rows
from common.tflite.cost import NO_KERNEL, lacks_kernel
from common.tflite.damage import DAMAGE, damaged
from common.tflite.flat import FlatFile, FlatTensor, Graph, parse
from common.tflite.opened import Content, leave
from common.tflite.operators import KERNELS, Node, domain, sources, stored, weight_indices
from common.tflite.ports import port, signatures
from common.tflite.proof import proof
from common.tflite.tensors import dtype_name, misfit, weight_bytes
from common.tflite.work import INSIDE, Counting
from common.tflite.xnnpack import refusals
from common.tflite.xnnpack_sparse import sparse_refusal

# Tensors may share a buffer; no sound file has its values counted this often.
MOST_PASSES = 64
NO_VALUES = "has no values, and nothing computes it"
UNTOLD = "not known: the file is damaged there"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A constant kernel and the operator that reads it. `read` unpacks its values."""

    operator: str
    tensor: Tensor
    read: Callable[[], npt.NDArray[Any] | None]

    @property
    def rows(self) -> npt.NDArray[Any] | None:
        """Its values [output channels, ...] less the zero points, so that zeros are zeros; None where they cannot be
        read. They are unpacked anew with each call, for a file of large kernels has no room for all of them."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file's constant tensors, its kernels among them, its ports and its operators.

    Tensors and operators are those of all subgraphs, ports those of the first. `operators` counts
    by name, `table` lists one by one, `proof` sums up the first subgraph and what it calls; `subgraphs` and
    `signatures` have the others' figures. `reached` are the first subgraph and those that it calls.
    """

    tensors: tuple[Tensor, ...]
    kernels: tuple[Kernel, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, int]
    table: tuple[Operator, ...]
    proof: Proof
    subgraphs: tuple[Subgraph, ...] = ()
    signatures: tuple[FileSignature, ...] = ()
    reached: tuple[int, ...] = (0,)


def inspect(content: Content) -> Inspection:
    """Read a .tflite file. Raises EdgeproofError when it is not one, or damaged.

    What is wrong with a single tensor, operator or signature is one of the proof's `faults` and costs that one only.
    """
    file = parse(content)
    # Tables stand all over a file: all of it was looked at.
    leave(content)
    try:
        return _Reader(content, file).inspection()
    except DAMAGE as error:
        raise damaged(error) from None


class _Reader:
    def __init__(self, content: Content, file: FlatFile) -> None:
        self._content = content
        self._faults = list(file.faults)
        self._file = replace(file, graphs=tuple(self._sound(number, graph) for number, graph in enumerate(file.graphs)))
        self._left = MOST_PASSES * len(content)
        self._counted: dict[tuple[object, ...], Tensor | None] = {}
        self._made = [sources(graph) for graph in self._file.graphs]
        self._counting = Counting(self._file)

    def inspection(self) -> Inspection:
        graphs = self._file.graphs
        tensors, kernels = [], []
        for number, (graph, made) in enumerate(zip(graphs, self._made, strict=True)):
            axes = dict(_kernel_axes(graph, made))
            described = {index: self._describe(number, index, axes) for index in range(len(graph.tensors))}
            tensors += [tensor for tensor in described.values() if tensor is not None]
            for i, (name, axis) in axes.items():
                if (tensor := described[i]) is not None:
                    kernels.append(Kernel(name, tensor, _reading(graph.tensors[i], axis)))
        table = tuple(self._table())
        subgraphs = tuple(self._subgraph(number) for number in range(len(graphs)))
        ways, faults = signatures(self._file, subgraphs)
        return Inspection(
            tensors=tuple(tensors),
            kernels=tuple(kernels),
            inputs=subgraphs[0].inputs,
            outputs=subgraphs[0].outputs,
            operators=dict(sorted(Counter(operator.name for operator in table).items())),
            table=table,
            proof=proof(
                self._content,
                replace(self._file, faults=(*self._faults, *faults)),
                table,
                self._counting,
                self._sparsely(),
            ),
            subgraphs=subgraphs,
            signatures=ways,
            reached=self._counting.reached(0),
        )

    def _sound(self, number: int, graph: Graph) -> Graph:
        """The graph without what contradicts itself, which becomes faults."""
        tensors = list(graph.tensors)
        for index, tensor in enumerate(tensors):
            wrong = misfit(tensor)
            if wrong is not None:
                self._faults.append(f"tensor {tensor.name!a} {wrong} needs")
                tensors[index] = replace(tensor, data=None)
        given = {*graph.inputs, *(index for operator in graph.operators for index in operator.outputs)}
        for index, operator in enumerate(graph.operators):
            node = Node(graph, operator)
            lost = [at for at in weight_indices(node) if at not in given and _is_lost(graph.tensors[at])]
            if lacks_kernel(node) or lost:
                named = f"its kernel {graph.tensors[lost[0]].name!a} {NO_VALUES}" if lost else NO_KERNEL
                self._faults.append(f"operator {number}/{index} {operator.name!a}: {named}")
        return replace(graph, tensors=tuple(tensors))

    def _describe(self, graph: int, index: int, axes: dict[int, tuple[str, int]]) -> Tensor | None:
        tensor = self._file.graphs[graph].tensors[index]
        axis = axes[index][1] if index in axes else None
        if tensor.data is None:
            return None
        points = tensor.zero_points.tobytes()
        scaled = tensor.quantization
        along = None if scaled is None or len(tensor.zero_points) == 1 else (scaled.axis, scaled.block)
        key = (tensor.buffer, tensor.type, tensor.shape, points, along, axis)
        if tensor.sparsity is None and key in self._counted:
            known = self._counted[key]
            update = {"name": tensor.name, "quantization": tensor.quantization, "subgraph": graph}
            return None if known is None else known.model_copy(update=update)
        self._left -= len(tensor.data)
        if self._left < 0:
            raise OverflowError("its tensors share more data than it holds")
        try:
            found = describe(tensor, axis, graph)
            self._counted[key] = found
            self._faults += _odd(found, kernel=axis is not None) if found else ()
        except DAMAGE as error:
            self._faults.append(f"tensor {tensor.name!a} cannot be read: {error}")
            self._counted[key] = None
        leave(self._content)
        return self._counted[key]

    def _subgraph(self, number: int) -> Subgraph:
        graph, work = self._file.graphs[number], self._counting.graph(number)
        return Subgraph(
            index=number,
            name=graph.name,
            operators=len(graph.operators),
            macs=work.total,
            uncounted=work.named(),
            inputs=tuple(port(graph.tensors[index]) for index in graph.inputs),
            outputs=tuple(port(graph.tensors[index]) for index in graph.outputs),
        )

    def _table(self) -> Iterator[Operator]:
        for number, (graph, made) in enumerate(zip(self._file.graphs, self._made, strict=True)):
            for index, (operator, reason) in enumerate(zip(graph.operators, _reasons(graph), strict=True)):
                node, work = Node(graph, operator), self._counting.operator(number, operator)
                read = node.activations or node.inputs
                own = [why for name, why in work.uncounted if name == operator.name] or [INSIDE]
                yield Operator(
                    subgraph=number,
                    index=index,
                    name=node.name,
                    input_type=dtype_name(read[0].type) if read else None,
                    output_type=dtype_name(node.outputs[0].type) if node.outputs else None,
                    domain=domain(node),
                    macs=None if work.uncounted else work.total,
                    weight_bytes=weight_bytes(stored(graph, made, operator)),
                    refusal=reason,
                    uncounted=own[0] if work.uncounted else None,
                )

    def _sparsely(self) -> str | None:
        main = self._file.graphs[0]
        try:
            return sparse_refusal(tuple(Node(main, operator) for operator in main.operators), self._made[0])
        except DAMAGE:
            return UNTOLD


def _odd(tensor: Tensor, *, kernel: bool) -> Iterator[str]:
    """What is wrong with the values of a constant. Masks are infinite for good reason, and kernels are not."""
    if tensor.nan:
        yield f"tensor {tensor.name!a} holds {tensor.nan:,} NaN of {tensor.elements:,} values"
    if kernel and tensor.infinite:
        yield f"kernel {tensor.name!a} holds {tensor.infinite:,} infinite of {tensor.elements:,} values"


def _is_lost(tensor: FlatTensor) -> bool:
    """Whether a tensor that no operator gives has no values in the file either, and should have some."""
    return not (tensor.constant or tensor.variable or 0 in tensor.shape)


def _reasons(graph: Graph) -> tuple[str | None, ...]:
    try:
        return refusals(graph)
    except DAMAGE:
        return (UNTOLD,) * len(graph.operators)


def _reading(tensor: FlatTensor, axis: int) -> Callable[[], npt.NDArray[Any] | None]:
    return lambda: rows(tensor, axis)


def _kernel_axes(graph: Graph, made: dict[int, int]) -> Iterator[tuple[int, tuple[str, int]]]:
    for operator in graph.operators:
        if operator.name in KERNELS and not lacks_kernel(Node(graph, operator)):
            position, axis = KERNELS[operator.name]
            index = operator.inputs[position]
            yield made.get(index, index), (operator.name, axis)
