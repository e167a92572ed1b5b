"""Times of operators to times of the file's own nodes. Pure.

XNNPACK numbers its operators itself, joins some nodes and makes several operators of others. Both lists are in order
of execution, so that they are laid side by side like two texts: as many as possible of its operators beside a node
of their kind. What is left over of XNNPACK's counts for the node that comes next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.schema.examination import LayerTime, Operator
from common.tflite.flat import parse

# What XNNPACK's operator for a node is called (xnnpack: src/operator-utils.c), as far as it is not alike.
NAMES: dict[str, tuple[str, ...]] = {
    "CONV_2D": ("Convolution", "Fully Connected"),
    "DEPTHWISE_CONV_2D": ("Convolution",),
    "FULLY_CONNECTED": ("Fully Connected", "Dynamic Fully Connected"),
    "TRANSPOSE_CONV": ("Deconvolution",),
    "BATCH_MATMUL": ("Batch Matrix Multiply",),
    "ADD": ("Add",),
    "SUB": ("Subtract",),
    "MUL": ("Multiply",),
    "DIV": ("Divide",),
    "MAX_POOL_2D": ("Max Pooling",),
    "AVERAGE_POOL_2D": ("Average Pooling", "Global Average Pooling"),
    "MEAN": ("Mean", "Global Average Pooling"),
    "SUM": ("Sum", "Global Sum Pooling"),
    "RESHAPE": ("Static Reshape", "Copy"),
    "SOFTMAX": ("Softmax",),
    "LOGISTIC": ("Sigmoid",),
    "TANH": ("Tanh",),
    "RELU": ("Clamp",),
    "RELU6": ("Clamp",),
    "HARD_SWISH": ("HardSwish", "Hard Swish"),
    "LEAKY_RELU": ("Leaky ReLU",),
    "PAD": ("Constant Pad", "Static Constant Pad"),
    "CONCATENATION": ("Concatenate", "Copy"),
    "TRANSPOSE": ("Transpose", "Static Transpose"),
    "QUANTIZE": ("Convert",),
    "DEQUANTIZE": ("Convert",),
    "RESIZE_BILINEAR": ("Resize Bilinear", "Static Resize Bilinear"),
    "SLICE": ("Slice", "Static Slice"),
    "STRIDED_SLICE": ("Slice", "Static Slice"),
}


@dataclass(frozen=True)
class Timed:
    """An operator of one inference, in order. `node` is its index in the graph, None for one inside of a delegate."""

    kind: str
    node: int | None
    mean_us: float


def layers(content: bytes, timed: Sequence[Timed]) -> tuple[LayerTime, ...]:
    """Every node of the main graph of a .tflite file with its time, by index.

    What a delegate takes as a whole, telling nothing of its inside, is one entry with an index behind the file's.
    Raises EdgeproofError for a file that is none.
    """
    graph = parse(content).graphs[0]
    plain = {one.node: one for one in timed if one.node is not None}
    inside = [one for one in timed if one.node is None]
    taken = [index for index in range(len(graph.operators)) if index not in plain]
    spent = dict.fromkeys(taken if inside else [], 0.0)
    kinds = [graph.operators[index].name for index in taken]
    for one, owner in zip(inside, owners(kinds, [one.kind for one in inside]), strict=True):
        if taken:
            spent[taken[owner]] += one.mean_us
    found = [(index, graph.operators[index].name, us, True) for index, us in spent.items()]
    for index, one in plain.items():
        whole = index >= len(graph.operators)
        found.append((index, one.kind if whole else graph.operators[index].name, one.mean_us, whole))
    names = {
        index: graph.tensors[operator.outputs[0]].name if operator.outputs else ""
        for index, operator in enumerate(graph.operators)
    }
    return tuple(
        LayerTime(index=index, kind=kind, name=names.get(index, ""), mean_us=us, delegated=delegated)
        for index, kind, us, delegated in sorted(found)
    )


def owners(nodes: Sequence[str], operators: Sequence[str]) -> list[int]:
    """For each of XNNPACK's operators the position of its node; 0 where there are no nodes."""
    best = [[0] * (len(operators) + 1) for _ in range(len(nodes) + 1)]
    for i in reversed(range(len(nodes))):
        for j in reversed(range(len(operators))):
            match = best[i + 1][j + 1] + 1 if _is(nodes[i], operators[j]) else 0
            best[i][j] = max(match, best[i + 1][j], best[i][j + 1])
    found: list[int | None] = [None] * len(operators)
    i = j = 0
    while i < len(nodes) and j < len(operators):
        if _is(nodes[i], operators[j]) and best[i][j] == best[i + 1][j + 1] + 1:
            found[j] = i
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    following: int | None = None
    for position in reversed(range(len(operators))):
        following = found[position] if found[position] is not None else following
        found[position] = following
    return [max(0, len(nodes) - 1) if owner is None else owner for owner in found]


def kinds(timed: Sequence[Timed]) -> tuple[Operator, ...]:
    """The same by kind of operator, the heaviest first."""
    whole = sum(one.mean_us for one in timed)
    groups: dict[tuple[str, bool], list[float]] = {}
    for one in timed:
        groups.setdefault((one.kind, one.node is None), []).append(one.mean_us)
    found = [
        Operator(
            kind=kind,
            count=len(times),
            mean_us=sum(times),
            share=sum(times) / whole if whole else 0.0,
            delegated=delegated,
        )
        for (kind, delegated), times in groups.items()
    ]
    return tuple(sorted(found, key=lambda operator: -operator.mean_us))


def _is(node: str, operator: str) -> bool:
    return operator.startswith(NAMES.get(node, (node.replace("_", " ").capitalize(),)))
