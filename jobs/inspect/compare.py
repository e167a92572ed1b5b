"""What two inspected files differ in. Pure: reports in, a comparison out."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from common.schema.inspection import Comparison, FileReport, OperatorChange, TensorChange
from common.schema.tflite import Tensor

Pair = tuple[Tensor, Tensor]


def compare(first: FileReport, second: FileReport) -> Comparison:
    """The comparison without outputs, which neither are there nor missing yet."""
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
        not_run=None,
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
    figures = tensor.dtype, tensor.zeros, tensor.unique_per_channel, tensor.stored_bytes, tensor.sparse
    return *figures, tensor.nan, tensor.infinite
