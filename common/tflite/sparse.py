"""Sparse tensors: where the stored values stand in the dense tensor.

Format: SparsityParameters in tensorflow/compiler/mlir/lite/schema/schema.fbs, which describes a hybrid of TACO's
dense and compressed levels: `traversalOrder` lists the dimensions from the outermost level in, first the tensor's
own and then those of the blocks, `blockMap[i]` is the dimension that the i-th block dimension divides.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from common.tflite.flat import Level, Sparsity

Indices = npt.NDArray[np.int64]


def coordinates(sparsity: Sparsity, shape: tuple[int, ...], stored: int) -> Indices:
    """Dense coordinates int64 [stored, rank] of the stored values, in their order.

    Raises ValueError where the parameters contradict each other. Memory is bounded by `stored` and the file.
    """
    rank = len(shape)
    if sorted(sparsity.order) != list(range(len(sparsity.levels))) or len(sparsity.levels) < rank:
        raise ValueError("sparsity parameters name other dimensions than the tensor has")
    if len(sparsity.block_map) != len(sparsity.levels) - rank:
        raise ValueError("sparsity parameters do not say what the blocks divide")
    found = np.zeros((1, len(sparsity.levels)), np.int64)
    for position, (dimension, level) in enumerate(zip(sparsity.order, sparsity.levels, strict=True)):
        found = _descend(found, dimension, level, _room(sparsity, position, stored))
    if len(found) != stored:
        raise ValueError("sparsity parameters describe another number of values than there are")
    return _unblocked(found, sparsity, shape)


def _room(sparsity: Sparsity, position: int, stored: int) -> int:
    """How many entries there can be after a level: as many as the next sparse level has segments for, or values."""
    for level in sparsity.levels[position + 1 :]:
        if level.segments is not None:
            return max(len(level.segments) - 1, stored)
    return stored


def _descend(found: Indices, dimension: int, level: Level, room: int) -> Indices:
    if level.segments is None or level.indices is None:
        if not 0 < level.size * len(found) <= room:
            raise ValueError("a dense level is larger than what it holds")
        parents = np.repeat(np.arange(len(found)), level.size)
        values = np.tile(np.arange(level.size), len(found))
    else:
        lengths: npt.NDArray[Any] = np.diff(level.segments)
        if len(lengths) != len(found) or (lengths < 0).any() or lengths.sum() != len(level.indices):
            raise ValueError("the segments of a sparse level do not fit its indices")
        parents, values = np.repeat(np.arange(len(found)), lengths), level.indices
    deeper = found[parents]
    deeper[:, dimension] = values
    return deeper


def _unblocked(found: Indices, sparsity: Sparsity, shape: tuple[int, ...]) -> Indices:
    rank = len(shape)
    dense = found[:, :rank].copy()
    sizes = dict(zip(sparsity.order, (level.size for level in sparsity.levels), strict=True))
    for block, dimension in enumerate(sparsity.block_map, start=rank):
        if not 0 <= dimension < rank:
            raise ValueError("a block divides a dimension that does not exist")
        dense[:, dimension] = dense[:, dimension] * sizes[block] + found[:, block]
    if (dense < 0).any() or (dense >= np.asarray(shape)).any():
        raise ValueError("a stored value lies outside of its tensor")
    return dense
