"""Whether XNNPACK takes the operators of resource variables: from their handles in a graph, in the file's order."""

from dataclasses import dataclass, field

from common.tflite.flat import FlatTensor, Graph
from common.tflite.operators import Node
from common.tflite.tensors import dtype_name

VARIABLES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")
TYPES = ("FLOAT32", "FLOAT16", "INT8", "UINT8")


@dataclass
class _Handle:
    """What is known of a resource: its VAR_HANDLE, and the first value that was read from it or assigned to it."""

    at: int | None = None
    first: FlatTensor | None = None


@dataclass
class _Known:
    handles: dict[int, _Handle] = field(default_factory=dict)

    def handle(self, index: int) -> _Handle:
        return self.handles.setdefault(index, _Handle())


def variable_refusals(graph: Graph) -> dict[int, str | None]:
    """The place of each operator of a variable, and why XNNPACK would not take it; None where it would.

    A handle is taken if a value of a type and shape that XNNPACK knows is read from it or assigned to it.
    """
    known, found = _Known(), {}
    for at, operator in enumerate(graph.operators):
        node = Node(graph, operator)
        if operator.name == "VAR_HANDLE" and operator.outputs:
            known.handle(operator.outputs[0]).at = at
        elif operator.name in VARIABLES:
            found[at] = _access(node, known)
    for at, operator in enumerate(graph.operators):
        if operator.name == "VAR_HANDLE":
            handle = known.handle(operator.outputs[0]) if operator.outputs else _Handle()
            # Of several handles of one resource the last one stands for it.
            taken = handle.first is not None and handle.at == at
            found[at] = None if taken else "XNNPACK takes nothing that reads or assigns it"
    return found


def _access(node: Node, known: _Known) -> str | None:
    reads = node.name == "READ_VARIABLE"
    value = node.outputs[0] if reads and node.outputs else node.input(1)
    if value is None or not node.operator.inputs:
        return "it has no value"
    if reads and not value.shape:
        return "output without a shape"
    if value.type not in TYPES:
        return f"{dtype_name(value.type)} {'output' if reads else 'input'}"
    if value.type in TYPES[2:] and (value.quantization is None or value.quantization.scales != 1):
        return f"{'output' if reads else 'input'} without a single scale"
    handle = known.handle(node.operator.inputs[0])
    if handle.at is None:
        return "its variable comes from elsewhere"
    if handle.first is None:
        handle.first = value
    elif (handle.first.type, handle.first.shape) != (value.type, value.shape):
        return "its variable has another type or shape before"
    return None
