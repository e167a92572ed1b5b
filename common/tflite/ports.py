"""The ports of subgraphs, and the signatures that name them. Pure."""

from collections.abc import Mapping, Sequence

from common.schema.tflite import FileSignature, NamedPort, Port, Subgraph
from common.tflite.flat import FlatFile, FlatSignature, FlatTensor
from common.tflite.tensors import dtype_name


def port(tensor: FlatTensor) -> Port:
    """A tensor as a port. One whose only scale is not a finite number has none."""
    scaled = tensor.quantization
    if scaled is not None and scaled.not_finite == scaled.scales:
        scaled = None
    return Port(
        name=tensor.name,
        shape=tensor.shape,
        dtype=dtype_name(tensor.type),
        scale=None if scaled is None else scaled.scale_low,
        zero_point=None if scaled is None else tensor.zero_point,
        open_shape=tensor.open_shape if -1 in tensor.open_shape else (),
    )


def signatures(file: FlatFile, subgraphs: Sequence[Subgraph]) -> tuple[tuple[FileSignature, ...], list[str]]:
    """The signatures with the figures of their subgraphs, and in words those that name what is not there."""
    found, faults = [], []
    for signature in file.signatures:
        made = _signature(signature, file, subgraphs)
        if made is None:
            faults.append(f"signature {signature.name!a} names a subgraph or a port that does not exist")
        else:
            found.append(made)
    return tuple(found), faults


def _signature(signature: FlatSignature, file: FlatFile, subgraphs: Sequence[Subgraph]) -> FileSignature | None:
    if not 0 <= signature.graph < len(subgraphs):
        return None
    graph, own = file.graphs[signature.graph], subgraphs[signature.graph]
    inputs = _named(signature.inputs, graph.inputs, own.inputs)
    outputs = _named(signature.outputs, graph.outputs, own.outputs)
    if inputs is None or outputs is None:
        return None
    return FileSignature(
        name=signature.name,
        subgraph=signature.graph,
        macs=own.macs,
        uncounted=own.uncounted,
        inputs=inputs,
        outputs=outputs,
    )


def _named(names: Mapping[str, int], tensors: Sequence[int], ports: Sequence[Port]) -> tuple[NamedPort, ...] | None:
    """The ports that a signature names, in the subgraph's order; None where it names what is no port."""
    # Of two ports that are one tensor the first.
    known = {index: at for at, index in reversed(list(enumerate(tensors)))}
    places = {name: known[index] for name, index in names.items() if index in known}
    if len(places) != len(names):
        return None
    return tuple(NamedPort(name=name, port=ports[at]) for name, at in sorted(places.items(), key=lambda item: item[1]))
