"""A graph as LiteRT's delegates left it, in the bytes that the tool writes.

Form: model_runtime_info.proto of LiteRT (proto2).
"""

from collections.abc import Sequence

from tests.devices.phone.classic.result_file import integer, message, varint

OF_THE_FILE = 1


def encoded(plan: Sequence[tuple[str, int] | str]) -> bytes:
    """ModelRuntimeDetails of one graph: (delegate, how many nodes it replaced), or the name of a plain operator."""
    nodes: list[bytes] = []
    order: list[int] = []
    for entry in plan:
        first = len(nodes)
        if isinstance(entry, tuple):
            name, count = entry
            replaced = range(first, first + count)
            nodes += [_node(number, "CONV_2D") + integer(9, first + count) for number in replaced]
            details = message(1, name.encode()) + message(2, b"".join(map(varint, replaced)))
            nodes.append(_node(len(nodes), name) + message(8, details))
        else:
            nodes.append(_node(first, entry))
        order.append(len(nodes) - 1)
    graph = integer(1, 0) + b"".join(message(3, node) for node in nodes)
    graph += message(4, b"".join(map(varint, order))) + integer(5, OF_THE_FILE) + message(6, b"main")
    return message(2, graph)


def _node(number: int, name: str) -> bytes:
    return integer(1, number) + message(2, name.encode())
