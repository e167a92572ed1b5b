"""The table of operators summed up for a whole file."""

import zlib
from collections.abc import Iterator

from common.schema.tflite import FLOATING, Domain, DomainTotal, Operator, Proof
from common.tflite.flat import Content, FlatFile, Graph
from common.tflite.operators import sources
from common.tflite.tensors import weight_bytes
from common.tflite.work import Counting, Work
from common.tflite.xnnpack import BY_RULE, refused

# What Android's and most other packagers use.
DEFLATE_LEVEL = 6
PIECE = 1 << 20
DOMAINS: tuple[Domain, ...] = ("int8", "int16x8", "hybrid", "float32", "conversion", "other")
QUANTISED = ("int8", "int16x8")


def proof(
    content: Content, file: FlatFile, table: tuple[Operator, ...], counting: Counting, sparse_refusal: str | None
) -> Proof:
    """The figures of a file; `table` has all operators of all subgraphs, in order."""
    reached = counting.reached(0)
    own = tuple(operator for operator in table if operator.subgraph in reached)
    graphs = [file.graphs[number] for number in reached]
    work = counting.graph(0)
    return Proof(
        macs=work.total,
        uncounted=work.named(),
        weight_bytes=weight_bytes(tensor for graph in file.graphs for tensor in graph.tensors),
        file_bytes=len(content),
        deflated_bytes=deflated_bytes(content),
        domains=tuple(total for domain in DOMAINS if (total := _total(domain, own, work)).operators),
        float_islands=tuple(_islands(file, own, reached)),
        quantize=sum(_conversions(graph, "QUANTIZE") for graph in graphs),
        dequantize=sum(_conversions(graph, "DEQUANTIZE") for graph in graphs),
        pairs=sum(_pairs(graph) for graph in graphs),
        refusals=refused(own),
        sparse_refusal=sparse_refusal,
        xnnpack=BY_RULE,
        metadata=file.metadata,
        faults=file.faults,
    )


def deflated_bytes(content: Content) -> int:
    """The size in a zip, without keeping what is packed."""
    packer = zlib.compressobj(DEFLATE_LEVEL)
    size = sum(len(packer.compress(content[at : at + PIECE])) for at in range(0, len(content), PIECE))
    return size + len(packer.flush())


def _total(domain: Domain, table: tuple[Operator, ...], work: Work) -> DomainTotal:
    own = sum(operator.domain == domain for operator in table)
    return DomainTotal(domain=domain, operators=own, macs=work.macs[domain])


def _islands(file: FlatFile, table: tuple[Operator, ...], reached: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
    if not any(operator.domain in QUANTISED for operator in table):
        return
    for number in reached:
        graph = file.graphs[number]
        floating = [op.index for op in table if op.subgraph == number and op.domain in FLOATING]
        for group in _groups(graph, floating):
            yield tuple(graph.operators[index].name for index in group)


def _groups(graph: Graph, chosen: list[int]) -> list[list[int]]:
    """The chosen operators in groups that are connected by the tensors that one writes and another reads."""
    writer = {tensor: index for index in chosen for tensor in graph.operators[index].outputs}
    group = {index: [index] for index in chosen}
    for index in chosen:
        for tensor in graph.operators[index].inputs:
            before = group[writer[tensor]] if tensor in writer else group[index]
            if before is not group[index]:
                before.extend(group[index])
                group.update(dict.fromkeys(group[index], before))
    distinct = {id(members): sorted(members) for members in group.values()}
    return sorted(distinct.values())


def _conversions(graph: Graph, name: str) -> int:
    """Operators of that name that run with every inference; those that unpack weights run once."""
    made = sources(graph)
    return sum(op.name == name and not made.keys() & set(op.outputs) for op in graph.operators)


def _pairs(graph: Graph) -> int:
    """QUANTIZE and DEQUANTIZE operators, in either order, of which one reads what the other wrote."""
    other = {"QUANTIZE": "DEQUANTIZE", "DEQUANTIZE": "QUANTIZE"}
    writer = {tensor: op.name for op in graph.operators for tensor in op.outputs}
    return sum(
        writer.get(tensor) == other[op.name] for op in graph.operators if op.name in other for tensor in op.inputs
    )
