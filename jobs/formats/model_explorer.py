"""Node data of Google's Model Explorer (`model_explorer/node_data_builder.py`, GraphNodeData): the time of every node
of a file's main graph, in microseconds. Pure.

Its adapter for `.tflite` files calls a node by its operator's index; the page takes the name of an output tensor as
well, and looks for that first. A node without a time of its own is left out: what a delegate joined to another one, or
did within a step of its clock, and whatever lies in a delegate that tells nothing of its inside.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.artifact import indented
from common.numbers import count, duration
from common.printable import clean
from common.schema.examination import LayerTime
from common.schema.results import Results
from jobs.formats.cells import cells
from jobs.formats.names import distinct, plain

# Nanoseconds: no profiler's clock tells more.
DECIMALS = 3
# From the page's white to a red on which its letters can be read.
GRADIENT = ({"stop": 0, "bgColor": "#ffffff"}, {"stop": 1, "bgColor": "#f28b82"})


@dataclass(frozen=True)
class NodeData:
    """A cell's file: its name, its content, and in words what of the profile it cannot tell."""

    file: str
    content: bytes
    note: str


def node_data(results: Results) -> tuple[NodeData, ...]:
    """A file for every cell whose nodes were timed, in the order of the results."""
    profiled = [cell for cell in cells(results) if cell.latency.layers]
    files = distinct("-".join(plain(part) for part in cell.name.split("/")) for cell in profiled)
    return tuple(
        _file(f"{file}.json", cell.name, cell.latency.layers) for file, cell in zip(files, profiled, strict=True)
    )


def _file(file: str, name: str, layers: Sequence[LayerTime]) -> NodeData:
    nodes = [layer for layer in layers if not _is_delegate(layer)]
    timed = dict(_timed(nodes))
    document = {
        "results": {key: {"value": round(layer.mean_us, DECIMALS)} for key, layer in timed.items()},
        "name": f"{name} (µs)",
        "gradient": GRADIENT,
    }
    return NodeData(file, indented(document), _note(name, nodes, layers, list(timed.values())))


def _is_delegate(layer: LayerTime) -> bool:
    """Whether it stands for a delegate that tells nothing of its inside; its index is none of the file's. A node with
    an output that has no name looks alike, and counts as one rather than giving a node the time of another."""
    return layer.delegated and not layer.name


def _timed(nodes: Sequence[LayerTime]) -> Iterator[tuple[str, LayerTime]]:
    """(key, node) of those with a time of their own."""
    names = Counter(layer.name for layer in nodes)
    # Where tensors are called by numbers, an index may be the name of another node's output.
    by_name = any(name.isdecimal() for name in names)
    for layer in nodes:
        if layer.delegated and layer.mean_us == 0:
            continue
        if not by_name:
            yield str(layer.index), layer
        elif layer.name and names[layer.name] == 1:
            yield layer.name, layer


def _note(name: str, nodes: Sequence[LayerTime], layers: Sequence[LayerTime], timed: Sequence[LayerTime]) -> str:
    known, whole = (sum(layer.mean_us for layer in some) for some in (timed, layers))
    silent = sum(layer.delegated and layer.mean_us == 0 for layer in nodes)
    told = f"{clean(name)}: {duration(known)} of {duration(whole)} stand at {count(len(timed), 'node')} of the file"
    if silent:
        told += f"; {count(silent, 'node')} of the delegate ran as part of others or below its clock's step"
    if delegates := [layer for layer in layers if _is_delegate(layer)]:
        names = ", ".join(dict.fromkeys(clean(layer.kind) for layer in delegates))
        told += f"; {duration(sum(layer.mean_us for layer in delegates))} of {names} are of no node"
    if alike := len(nodes) - silent - len(timed):
        told += f"; {count(alike, 'node')} cannot be told from others by name"
    return told
