"""Sparse tensors: where the stored values stand in the dense tensor.

Format: SparsityParameters in tensorflow/compiler/mlir/lite/schema/schema.fbs, which describes a hybrid of TACO's
dense and compressed levels: `traversalOrder` lists the dimensions from the outermost level in, first the tensor's
own and then those of the blocks, `blockMap[i]` is the dimension that the i-th block dimension divides.
"""

import numpy as np
import numpy.typing as npt

from common.tflite.flat import Level, Sparsity

Indices = npt.NDArray[np.int64]


def coordinates(sparsity: Sparsity, shape: tuple[int, ...], stored: int) -> Indices:
    """Dense coordinates int64 [stored, rank] of the stored values, in their order.

    Raises ValueError where the parameters contradict each other. Memory is bounded by `stored` and the file.
    """
    check(sparsity, shape, stored)
    return places(sparsity, shape, 0, stored)


def check(sparsity: Sparsity, shape: tuple[int, ...], stored: int) -> None:
    """Raises ValueError where the parameters contradict each other, the shape or the number of stored values."""
    rank = len(shape)
    if sorted(sparsity.order) != list(range(len(sparsity.levels))) or len(sparsity.levels) < rank:
        raise ValueError("sparsity parameters name other dimensions than the tensor has")
    if len(sparsity.block_map) != len(sparsity.levels) - rank:
        raise ValueError("sparsity parameters do not say what the blocks divide")
    if any(not 0 <= dimension < rank for dimension in sparsity.block_map):
        raise ValueError("a block divides a dimension that does not exist")
    entries = 1
    for level in sparsity.levels:
        entries = _entries(level, entries)
    if entries != stored:
        raise ValueError("sparsity parameters describe another number of values than there are")


def _entries(level: Level, parents: int) -> int:
    """How many entries a level has below so many of the level before."""
    if level.segments is None or level.indices is None:
        if level.size <= 0:
            raise ValueError("a dense level has no size")
        return parents * level.size
    segments = level.segments
    fits = len(segments) == parents + 1 and segments[0] == 0 and segments[-1] == len(level.indices)
    if not fits or (segments[1:] < segments[:-1]).any():
        raise ValueError("the segments of a sparse level do not fit its indices")
    return len(level.indices)


def places(sparsity: Sparsity, shape: tuple[int, ...], start: int, end: int) -> Indices:
    """Dense coordinates int64 [end - start, rank] of the values from `start` to before `end`, of parameters that were
    checked. Raises ValueError for one outside of the tensor."""
    found = np.zeros((end - start, len(sparsity.levels)), np.int64)
    # From the innermost level out: where an entry stands below its parent, and which parent that is.
    at: Indices = np.arange(start, end)
    for dimension, level in reversed(list(zip(sparsity.order, sparsity.levels, strict=True))):
        if level.segments is None or level.indices is None:
            found[:, dimension], at = at % level.size, at // level.size
        else:
            found[:, dimension] = level.indices[at]
            at = np.searchsorted(level.segments, at, side="right") - 1
    return _unblocked(found, sparsity, shape)


def _unblocked(found: Indices, sparsity: Sparsity, shape: tuple[int, ...]) -> Indices:
    rank = len(shape)
    dense = found[:, :rank]
    sizes = dict(zip(sparsity.order, (level.size for level in sparsity.levels), strict=True))
    for block, dimension in enumerate(sparsity.block_map, start=rank):
        dense[:, dimension] = dense[:, dimension] * sizes[block] + found[:, block]
    if (dense < 0).any() or (dense >= np.asarray(shape)).any():
        raise ValueError("a stored value lies outside of its tensor")
    return dense
