"""The kernels of a file: its operators as a cost table tells them apart. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from common.schema.base import MOST
from common.schema.costs import Kernel, Side
from common.tflite.flat import FlatFile, FlatOperator, FlatTensor, Graph, parse
from common.tflite.opened import Content
from common.tflite.operators import CALLS, Node, domain, sources, weights
from common.tflite.tensors import DTYPES, PACKED, elements, misfit, values
from common.tflite.work import Counting

# Whole numbers that say what an operator does, as those of TRANSPOSE; longer ones are data.
MOST_VALUES = 16
INDICES = ("INT32", "INT64")
SIXTEENTHS = 16
# Of a digest of kernels.
DIGEST_BYTES = 6
# The name of several that were timed as one.
JOINED = "JOINED"
# Of a value whose type is not known.
UNKNOWN_BYTES = 4
BYTE = 8
# Of the options' whole numbers, those that change no work.
IDLE = ("quantizedBiasType", "potScaleInt16")


def kernels(content: Content) -> tuple[Kernel, ...]:
    """The kernel of every operator of the main graph of a .tflite file. One that calls other graphs is the same as
    another only where all that the file calls is. Raises EdgeproofError for a file that is none."""
    file = parse(content)
    counting = Counting(file)
    called = hashlib.sha256()
    for number in counting.reached(0):
        if number:
            called.update("".join(each.key for each in _graph(file, counting, number, 0)).encode() + b"\n")
    return tuple(_graph(file, counting, 0, int.from_bytes(called.digest()[:DIGEST_BYTES])))


def joined(several: Sequence[Kernel]) -> Kernel:
    """What a delegate that tells nothing of its inside takes as one."""
    digest = hashlib.sha256("\n".join(one.key for one in several).encode()).digest()
    known = [one.macs for one in several if one.macs is not None]
    most = Counter({one.domain: 0 for one in several})
    for one in several:
        most[one.domain] += one.macs or 0
    return Kernel(
        operator=JOINED,
        domain=most.most_common(1)[0][0],
        inputs=(),
        outputs=(),
        options=(("digest", int.from_bytes(digest[:DIGEST_BYTES])), ("operators", len(several))),
        macs=min(MOST, sum(known)) if known else None,
        bytes=min(MOST, sum(one.bytes for one in several)),
    )


def _graph(file: FlatFile, counting: Counting, number: int, called: int) -> Iterator[Kernel]:
    graph = file.graphs[number]
    made = sources(graph)
    for operator in graph.operators:
        work = counting.operator(number, operator)
        options = (("called", called),) if operator.name in CALLS else ()
        yield _kernel(graph, made, operator, None if work.uncounted else work.total, options)


def _kernel(
    graph: Graph, made: dict[int, int], operator: FlatOperator, macs: int | None, options: tuple[tuple[str, int], ...]
) -> Kernel:
    node = Node(graph, operator)
    # What is unpacked before the first inference is read as it was unpacked.
    stored = {index: graph.tensors[made.get(index, index)] for index in operator.inputs if index >= 0}
    moved = sum(_bytes(graph.tensors[index], tensor) for index, tensor in stored.items())
    kept = [_sixteenths(stored[index]) for index in stored if any(graph.tensors[index] is one for one in weights(node))]
    share = min((each for each in kept if each is not None), default=SIXTEENTHS)
    return Kernel(
        operator=operator.name,
        domain=domain(node),
        inputs=tuple(None if index < 0 else _side(graph.tensors[index], stored[index]) for index in operator.inputs),
        outputs=tuple(_side(tensor, tensor) for tensor in node.outputs),
        options=(*_options(operator), *options),
        macs=None if macs is None else macs * share // SIXTEENTHS,
        bytes=min(MOST, moved + sum(_bytes(tensor, tensor) for tensor in node.outputs)),
    )


def _side(tensor: FlatTensor, stored: FlatTensor) -> Side:
    small = tensor.constant and tensor.type in INDICES and elements(tensor.shape) <= MOST_VALUES
    # A bias is of whole numbers too, and has a scale.
    found = values(tensor) if small and tensor.quantization is None and misfit(tensor) is None else None
    return Side(
        shape=tensor.shape,
        type=tensor.type,
        constant=stored.constant,
        stored=_sixteenths(stored),
        values=() if found is None else tuple(map(int, found)),
    )


def _sixteenths(tensor: FlatTensor) -> int | None:
    """The share of values that a sparse tensor stores."""
    if tensor.sparsity is None or tensor.data is None or tensor.type not in DTYPES:
        return None
    held = len(tensor.data) // _itemsize(tensor.type)
    return min(SIXTEENTHS, round(SIXTEENTHS * held / max(1, elements(tensor.shape))))


def _bytes(tensor: FlatTensor, stored: FlatTensor) -> int:
    bits = PACKED[tensor.type][0] if tensor.type in PACKED else _itemsize(tensor.type) * BYTE
    share = _sixteenths(stored)
    return elements(tensor.shape) * bits // BYTE * (SIXTEENTHS if share is None else share) // SIXTEENTHS


def _itemsize(kind: str) -> int:
    return int(np.dtype(DTYPES[kind]).itemsize) if kind in DTYPES else UNKNOWN_BYTES


def _options(operator: FlatOperator) -> tuple[tuple[str, int], ...]:
    """The options that are whole numbers or switches, and not zero: strides, paddings, activations. Real numbers change
    no work, and lists of sides stand in the shapes."""
    given = {} if operator.options is None else vars(operator.options)
    numbers = {name: int(value) for name, value in given.items() if isinstance(value, int | np.integer) and value}
    return tuple(sorted((name, value) for name, value in numbers.items() if name not in IDLE))
