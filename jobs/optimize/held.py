"""What a file holds of each layer after quantisation-aware training. Pure: a file and the pass's words to the file's.

A tensor is named after the layers that it comes from (`common.tflite.parts`). A kernel that several calls share has no
such name, and then the operator's output has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.numbers import listed, percent
from common.schema.tflite import FLOATING, Domain
from common.schema.variant import LayerNote
from common.tflite.flat import FlatTensor, Graph, parse
from common.tflite.operators import KERNELS, Node, sources, stored
from common.tflite.parts import segments
from common.tflite.reader import Inspection
from common.tflite.tensors import dtype_name, elements
from jobs.optimize.matrices import MATRIX_RANK, WRAPPED
from jobs.optimize.pass_result import Aware

NOT_TAKEN = "the converter has no int8 form of it here"
# Operators with kernels whose multiply-accumulates are not known everywhere.
RECURRENT = ("LSTM", "RNN", "SVDF")


@dataclass(frozen=True)
class Computed:
    """An operator of the file and the layers that it comes from. `kernel` is the largest constant that it multiplies
    with, `owner` the layer of that, None where no layer explains it; `macs` is None where it cannot be told."""

    name: str
    layers: tuple[str, ...]
    domain: Domain
    macs: int | None
    kernel: str | None = None
    dtype: str = ""
    owner: str | None = None


@dataclass(frozen=True)
class FloatKernels:
    """Kernels of one layer, or one of none, that the file does not compute with in int8: `tensors` are their names,
    `share` that of all multiply-accumulates, None where it cannot be told."""

    layer: str
    tensors: tuple[str, ...]
    dtype: str
    domain: Domain
    share: float | None
    reason: str

    @property
    def said(self) -> str:
        """How they are computed, with their share."""
        how = "run as hybrid" if self.domain == "hybrid" else "left in float"
        return f"{how}{_share(self.share)}: {self.reason}"


@dataclass(frozen=True)
class Held:
    """What is to be said of a file: its kernels that are not in int8, its size, that of the same network in int8
    without the training (None where the converter makes no such file), and why it is the larger one (None where it is
    not)."""

    floats: tuple[FloatKernels, ...]
    size_bytes: int
    plain_bytes: int | None
    larger: str | None


def computed(content: bytes, inspection: Inspection, aware: Sequence[Aware]) -> tuple[Computed, ...]:
    """The operators of a file that compute, with the layers of the network that they come from."""
    layers = {part: layer for layer in aware for part in layer.parts}
    graphs = parse(content).graphs
    made = [sources(graph) for graph in graphs]
    found = []
    for entry in inspection.table:
        graph = graphs[entry.subgraph]
        node = Node(graph, graph.operators[entry.index])
        if entry.domain == "conversion":
            continue
        kernel = _kernel(graph, made[entry.subgraph], node, entry.macs)
        names = [tensor.name for tensor in (*([kernel] if kernel else []), *node.outputs)]
        of = tuple(dict.fromkeys(layer for name in names for layer in _layers(name, layers)))
        found.append(
            Computed(
                name=entry.name,
                layers=tuple(layer.layer for layer in of),
                domain=entry.domain,
                macs=entry.macs,
                kernel=kernel.name if kernel else None,
                dtype=dtype_name(kernel.type) if kernel else "",
                owner=_owner(kernel, of, aware) if kernel else None,
            )
        )
    return tuple(found)


def float_kernels(
    operators: Sequence[Computed], aware: Sequence[Aware], failure: str | None
) -> tuple[FloatKernels, ...]:
    """What the file does not compute with in int8, a layer each, the largest share first. `failure` says why the ranges
    that the training left out could not be measured; None where they were."""
    reasons = {layer.layer: layer.reason for layer in aware}
    groups: dict[tuple[str, str, Domain], list[Computed]] = {}
    for operator in operators:
        if operator.kernel is not None and operator.domain in FLOATING:
            key = (operator.owner or operator.kernel, operator.dtype, operator.domain)
            groups.setdefault(key, []).append(operator)
    found = [
        FloatKernels(
            layer=layer,
            tensors=tuple(dict.fromkeys(operator.kernel for operator in own if operator.kernel)),
            dtype=dtype,
            domain=domain,
            share=_of_all(own, operators),
            reason=_reason(reasons.get(layer), failure),
        )
        for (layer, dtype, domain), own in groups.items()
    ]
    return tuple(sorted(found, key=lambda kernels: -(kernels.share or 0)))


def told(operators: Sequence[Computed], aware: Sequence[Aware], failure: str | None) -> tuple[LayerNote, ...]:
    """What became of each layer, in the file's words."""
    return tuple(LayerNote(layer=layer.layer, action=_action(layer, operators, failure)) for layer in aware)


def _action(layer: Aware, operators: Sequence[Computed], failure: str | None) -> str:
    own = [operator for operator in operators if layer.layer in operator.layers]
    kernels = [operator for operator in operators if operator.owner == layer.layer]
    floating = [operator for operator in (*kernels, *own) if operator.domain in FLOATING]
    if floating:
        multiplied = [operator for operator in kernels if operator.domain in FLOATING]
        if kernels and not multiplied:
            # The converter leaves single operators beside a recurrent layer's own, other ones from time to time.
            left = f"but {_names(floating)} in float: {_reason(layer.reason, failure)}"
            return f"{_in_int8(layer, kernels, operators)}, {left}"
        how = "run as hybrid" if all(operator.domain == "hybrid" for operator in floating) else "left in float"
        share = _share(_of_all(multiplied, operators)) if multiplied else ""
        return f"{how}{share}: {_reason(layer.reason, failure)}"
    if layer.elements and not kernels:
        return (
            "trained for int8; none of the file's kernels is known as its own"
            if layer.reason is None
            else (f"none of the file's kernels is known as its own: {layer.reason}")
        )
    if layer.reason is None:
        return "quantised"
    if not own:
        return f"no operator of its own in the file: {layer.reason}"
    return f"{_in_int8(layer, kernels, operators)}: {layer.reason}"


def _in_int8(layer: Aware, kernels: Sequence[Computed], operators: Sequence[Computed]) -> str:
    if layer.reason is None:
        return "quantised"
    return f"int8 by calibration{_share(_of_all(kernels, operators)) if kernels else ''}"


def _names(operators: Sequence[Computed]) -> str:
    return listed(tuple(sorted({operator.name for operator in operators})))


def _reason(reason: str | None, failure: str | None) -> str:
    said = reason or NOT_TAKEN
    return said if failure is None else f"{said}; ranges could not be measured: {failure}"


def _of_all(own: Sequence[Computed], operators: Sequence[Computed]) -> float | None:
    total = sum(operator.macs or 0 for operator in operators)
    if not total or any(not operator.macs for operator in own):
        return None
    return sum(operator.macs or 0 for operator in own) / total


def _share(share: float | None) -> str:
    return (
        ", an unknown share of the multiply-accumulates"
        if share is None
        else (f", {percent(share)} of the multiply-accumulates")
    )


def _kernel(graph: Graph, made: dict[int, int], node: Node, macs: int | None) -> FlatTensor | None:
    """The largest constant of two sides or more, where the operator multiplies with such."""
    if not (macs is None or macs > 0 or node.name in KERNELS or any(word in node.name for word in RECURRENT)):
        return None
    constants = (tensor for tensor in stored(graph, made, node.operator) if len(tensor.shape) >= MATRIX_RANK)
    return max(constants, key=lambda tensor: elements(tensor.shape), default=None)


def _layers(name: str, layers: dict[str, Aware]) -> Iterator[Aware]:
    for path in segments(name):
        for segment in path:
            part = segment if segment in layers else segment.removeprefix(WRAPPED)
            if part in layers:
                yield layers[part]
                break


def _owner(kernel: FlatTensor, named: Sequence[Aware], aware: Sequence[Aware]) -> str | None:
    """The layer of a kernel: one that it is named after and that has one of its size, or else the only such one."""
    size = elements(kernel.shape)
    fitting = [layer for layer in named if size in layer.elements] or [layer for layer in named if layer.elements]
    if not fitting:
        fitting = [layer for layer in aware if size in layer.elements]
        fitting = fitting if len(fitting) == 1 else []
    return fitting[0].layer if fitting else None
