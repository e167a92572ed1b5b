"""What ran where, by the LiteRT 2.x tool: from the graph that it writes to `--model_runtime_info_output_file`, or from
the lines of its runtime. Pure; raises nothing.

The graph is as the delegates left it (tflite/profiling/proto/model_runtime_info.proto; compiled_model.cc of LiteRT
counts in the same way): a node of the execution plan is a delegate's, or a part that was compiled for an NPU, or a
plain kernel's.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from common.schema.outcome import Delegation
from jobs.benchmark.android.protos import INT32, TEXT, Fields, message

CPU_DELEGATES = ("TfLiteXNNPackDelegate", "YNNPackDelegate")
NPU_DELEGATE, NPU_OPERATOR = "DispatchDelegate", "DISPATCH_OP"
NAME_LENGTH = 80
MESSAGES: dict[str, Fields] = {
    "Delegate": (("name", 1, TEXT), ("*replaced", 2, INT32)),
    "Node": (("id", 1, INT32), ("name", 2, TEXT), ("delegate", 8, "Delegate"), ("delegated_to", 9, INT32)),
    "Graph": (("id", 1, INT32), ("*nodes", 3, "Node"), ("*plan", 4, INT32), ("kind", 5, INT32), ("name", 6, TEXT)),
    "Details": (("*graphs", 2, "Graph"),),
}
DETAILS = message("Details", MESSAGES)
# TFLITE_SUBGRAPH: of the file, not of a delegate's inside.
OF_THE_FILE = 1
REPLACING = re.compile(
    r"Replacing (\d{1,9}) out of (\d{1,9}) node\(s\) with delegate \(([^()\n]{1,80})\) node, "
    r"yielding (\d{1,9}) partitions(?: for subgraph (\d{1,6}))?"
)


@dataclass(frozen=True)
class Taken:
    """What one delegate took of a graph: nodes, in parts."""

    name: str
    nodes: int
    parts: int


@dataclass(frozen=True)
class Placement:
    """A graph of `total` nodes after its delegates: `plain` of its plan are left to plain kernels."""

    total: int
    plain: int
    taken: tuple[Taken, ...]

    def delegation(self, backend: str) -> Delegation:
        """What `backend` (xnnpack, gpu or npu) ran of it; extent `none` where that is nothing."""
        own = [one for one in self.taken if is_of(one.name, backend) and one.nodes]
        nodes = sum(one.nodes for one in own)
        others = self.plain + sum(one.nodes for one in self.taken if not is_of(one.name, backend))
        extent = "none" if not own else ("partial" if others else "complete")
        return Delegation.model_validate(
            {
                "extent": extent,
                "kernel": own[0].name if own else None,
                "nodes_delegated": nodes,
                "nodes_total": max(self.total, nodes),
                "partitions": sum(one.parts for one in own),
            }
        )

    @property
    def instead(self) -> str:
        """Who ran it, in words."""
        names = dict.fromkeys(one.name for one in self.taken if one.nodes)
        return ", ".join([*names, *(["plain kernels"] if self.plain else [])]) or "plain kernels"


def is_of(name: str, backend: str) -> bool:
    """Whether a delegate is a backend's. The GPU's are called after what drives it (LITERT_CL, ...)."""
    if name in CPU_DELEGATES:
        return backend == "xnnpack"
    if name in (NPU_DELEGATE, NPU_OPERATOR):
        return backend == "npu"
    return backend == "gpu"


def placement(content: bytes) -> Placement | None:
    """The main graph of a file; None for one that is cut off or of another form."""
    try:
        details = DETAILS.FromString(content)
    except DecodeError:
        return None
    graph = next((graph for graph in details.graphs if graph.kind == OF_THE_FILE), None)
    if graph is None or not graph.plan:
        return None
    nodes = {node.id: node for node in graph.nodes}
    if not set(graph.plan) <= nodes.keys():
        return None
    return _placed([nodes[number] for number in graph.plan], graph.nodes)


def _placed(plan: Sequence[Any], nodes: Iterable[Any]) -> Placement:
    taken: dict[str, list[int]] = {}
    plain = 0
    for node in plan:
        name, count = _owner(node)
        if name is None:
            plain += 1
        else:
            taken.setdefault(name[:NAME_LENGTH], []).append(count)
    total = sum(not node.HasField("delegate") for node in nodes)
    return Placement(total, plain, tuple(Taken(name, sum(counts), len(counts)) for name, counts in taken.items()))


def _owner(node: Any) -> tuple[str | None, int]:
    """Whose a node of the plan is, and of how many nodes it is made; None for a plain kernel's."""
    if node.HasField("delegate"):
        return node.delegate.name or node.name or "unnamed delegate", len(node.delegate.replaced)
    return (NPU_OPERATOR, 1) if node.name == NPU_OPERATOR else (None, 1)


def told(text: str) -> Placement | None:
    """The same from the runtime's lines about the first graph that it names; None where it printed none."""
    found = REPLACING.findall(text)
    if not found:
        return None
    # A model is compiled once, but some builds make their environment, and these lines, several times.
    rows = dict.fromkeys(row for row in found if row[4] == found[0][4])
    total = int(next(iter(rows))[1])
    taken = tuple(Taken(name, int(nodes), int(parts)) for nodes, _, name, parts, _ in rows)
    return Placement(total, max(0, total - sum(one.nodes for one in taken)), taken)
