"""What two inspected files differ in. Pure: reports in, a comparison out."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from common.schema.inspection import Comparison, FileReport, OperatorChange, TensorChange
from common.schema.tflite import Port, Tensor

Pair = tuple[Tensor, Tensor]
# Ports that random numbers can be put into: real ones, and integers that stand for reals.
SCALED = ("int8", "uint8", "int16")


def compare(first: FileReport, second: FileReport) -> Comparison:
    """The comparison without outputs; `not_run` says why the files cannot be run on the same inputs."""
    pairs, only_first, only_second = match(first.tensors, second.tensors)
    before, after = (Counter(op.name for op in report.operators) for report in (first, second))
    return Comparison(
        operators=tuple(
            OperatorChange(name=name, first=before[name], second=after[name])
            for name in sorted(before | after)
            if before[name] != after[name]
        ),
        tensors=tuple(
            TensorChange(name=old.name, shape=old.shape, first=old, second=new)
            for old, new in pairs
            if _figures(old) != _figures(new)
        ),
        only_first=tuple(tensor.name for tensor in only_first),
        only_second=tuple(tensor.name for tensor in only_second),
        outputs=None,
        not_run=next(_obstacles(first, second), None),
    )


def match(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> tuple[list[Pair], list[Tensor], list[Tensor]]:
    """Pairs of the same tensor in both files, and what is left over of either.

    Tensors of one name and shape belong together. Converters rename tensors, so that of the rest those
    whose shape occurs as often in both files are paired in order.
    """
    pairs, rest_first, rest_second = _pair(first, second, lambda tensor: (tensor.name, tensor.shape), exactly=False)
    more, left_first, left_second = _pair(rest_first, rest_second, lambda tensor: tensor.shape, exactly=True)
    return [*pairs, *more], left_first, left_second


def _pair(
    first: Sequence[Tensor], second: Sequence[Tensor], key: Callable[[Tensor], object], *, exactly: bool
) -> tuple[list[Pair], list[Tensor], list[Tensor]]:
    """Pair tensors of one key in order; where `exactly`, only if both files have as many of it."""
    offered: dict[object, list[Tensor]] = defaultdict(list)
    for tensor in second:
        offered[key(tensor)].append(tensor)
    wanted = Counter(key(tensor) for tensor in first)
    sure = {kind for kind in wanted if not exactly or wanted[kind] == len(offered[kind])}
    pairs, left = [], []
    for tensor in first:
        kind = key(tensor)
        if kind in sure and offered[kind]:
            pairs.append((tensor, offered[kind].pop(0)))
        else:
            left.append(tensor)
    return pairs, left, [tensor for tensors in offered.values() for tensor in tensors]


def _figures(tensor: Tensor) -> tuple[object, ...]:
    return tensor.dtype, tensor.zeros, tensor.unique_per_channel, tensor.stored_bytes, tensor.sparse


def _obstacles(first: FileReport, second: FileReport) -> Iterator[str]:
    for what, before, after in (
        ("inputs", first.inputs, second.inputs),
        ("outputs", first.outputs, second.outputs),
    ):
        if [port.shape for port in before] != [port.shape for port in after]:
            yield f"their {what} have different shapes"
    for port in (*first.inputs, *second.inputs):
        if not _fillable(port):
            yield f"an input is of type {port.dtype}"


def _fillable(port: Port) -> bool:
    return port.dtype == "float32" or (port.dtype in SCALED and port.scale is not None and port.scale > 0)
