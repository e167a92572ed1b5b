"""The table of operators summed up for a whole file."""

import zlib
from collections.abc import Iterator

from common.schema.tflite import Domain, DomainTotal, Operator, Proof
from common.tflite.flat import FlatFile, Graph
from common.tflite.operators import sources
from common.tflite.tensors import weight_bytes
from common.tflite.xnnpack import BY_RULE, refused

# What Android's and most other packagers use.
DEFLATE_LEVEL = 6
DOMAINS: tuple[Domain, ...] = ("int8", "int16x8", "hybrid", "float32", "conversion", "other")
QUANTISED, FLOATING = ("int8", "int16x8"), ("float32", "hybrid")


def proof(content: bytes, file: FlatFile, table: tuple[Operator, ...], sparse_refusal: str | None) -> Proof:
    """The figures of a file; `table` has all operators of all subgraphs, in order."""
    return Proof(
        macs=sum(operator.macs for operator in table),
        weight_bytes=weight_bytes(tensor for graph in file.graphs for tensor in graph.tensors),
        file_bytes=len(content),
        deflated_bytes=len(zlib.compress(content, DEFLATE_LEVEL)),
        domains=tuple(total for domain in DOMAINS if (total := _total(domain, table)).operators),
        float_islands=tuple(_islands(file, table)),
        quantize=sum(_conversions(graph, "QUANTIZE") for graph in file.graphs),
        dequantize=sum(_conversions(graph, "DEQUANTIZE") for graph in file.graphs),
        pairs=sum(_pairs(graph) for graph in file.graphs),
        refusals=refused(table),
        sparse_refusal=sparse_refusal,
        xnnpack=BY_RULE,
        metadata=file.metadata,
    )


def _total(domain: Domain, table: tuple[Operator, ...]) -> DomainTotal:
    own = [operator for operator in table if operator.domain == domain]
    return DomainTotal(domain=domain, operators=len(own), macs=sum(operator.macs for operator in own))


def _islands(file: FlatFile, table: tuple[Operator, ...]) -> Iterator[tuple[str, ...]]:
    if not any(operator.domain in QUANTISED for operator in table):
        return
    for number, graph in enumerate(file.graphs):
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
