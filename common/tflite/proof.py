"""The table of operators summed up for a whole file."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from common.schema.tflite import FLOATING, Domain, DomainTotal, Operator, Proof
from common.tflite.flat import FlatFile, Graph
from common.tflite.opened import Content, pieces
from common.tflite.operators import sources
from common.tflite.tensors import weight_bytes
from common.tflite.work import Counting, Work
from common.tflite.xnnpack import BY_RULE, refused

# What Android's and most other packagers use.
DEFLATE_LEVEL = 6
DOMAINS: tuple[Domain, ...] = ("int8", "int16x8", "hybrid", "float32", "conversion", "other")
QUANTISED = ("int8", "int16x8")


def proof(
    content: Content, file: FlatFile, table: tuple[Operator, ...], counting: Counting, sparse_refusal: str | None
) -> Proof:
    """The figures of a file; `table` has all operators of all subgraphs, in order."""
    reached = counting.reached(0)
    own = of(table, reached)
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


def of(table: Iterable[Operator], subgraphs: Iterable[int]) -> tuple[Operator, ...]:
    """The operators of some subgraphs."""
    chosen = frozenset(subgraphs)
    return tuple(operator for operator in table if operator.subgraph in chosen)


def deflated_bytes(content: Content) -> int:
    """The size in a zip, without keeping what is packed."""
    packer = zlib.compressobj(DEFLATE_LEVEL)
    size = sum(len(packer.compress(piece)) for piece in pieces(content))
    return size + len(packer.flush())


def _total(domain: Domain, table: tuple[Operator, ...], work: Work) -> DomainTotal:
    own = sum(operator.domain == domain for operator in table)
    return DomainTotal(domain=domain, operators=own, macs=work.macs[domain])


def _islands(file: FlatFile, table: tuple[Operator, ...], reached: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
    if not any(operator.domain in QUANTISED for operator in table):
        return
    floating: defaultdict[int, list[int]] = defaultdict(list)
    for operator in table:
        if operator.domain in FLOATING:
            floating[operator.subgraph].append(operator.index)
    for number in reached:
        graph = file.graphs[number]
        for group in groups(graph, floating[number]):
            yield tuple(graph.operators[index].name for index in group)


def groups(graph: Graph, chosen: list[int]) -> list[list[int]]:
    """The chosen operators in groups that are connected by the tensors that one writes and another reads."""
    writer = {tensor: index for index in chosen for tensor in graph.operators[index].outputs}
    group = {index: [index] for index in chosen}
    for index in chosen:
        for tensor in graph.operators[index].inputs:
            before, own = group[writer.get(tensor, index)], group[index]
            if before is not own:
                # The smaller one moves, or many would move again with every operator.
                larger, smaller = (before, own) if len(before) >= len(own) else (own, before)
                larger.extend(smaller)
                group.update(dict.fromkeys(smaller, larger))
    distinct = {id(members): members for members in group.values()}
    return sorted(map(sorted, distinct.values()))


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
