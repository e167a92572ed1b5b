"""Constant tensors described: their figures, and the rows of kernels."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from common.schema.tflite import Tensor
from common.tflite.counted import distinct, most_distinct, nonzero, not_finite
from common.tflite.flat import FlatTensor, Sparsity
from common.tflite.sparse import check, coordinates, places
from common.tflite.tensors import dtype_name, elements, readable, values

# Spread out, 64 Mi elements take 256 MiB of floats; a damaged file may claim any number.
MOST_SPREAD = 1 << 26
# Stored values whose places are looked at together: a number of eight bytes for each side of each.
PLACES = 1 << 13


def describe(tensor: FlatTensor, axis: int | None, subgraph: int = 0) -> Tensor | None:
    """The figures of a constant of a subgraph; `axis` is that of its output channels. None where there are no values
    to read.

    Raises ValueError where the data contradicts the shape.
    """
    if tensor.data is None or not readable(tensor):
        return None
    axis = axis if axis is not None and axis < len(tensor.shape) else None
    count = elements(tensor.shape)
    kept, unique = _stored(tensor, axis)
    nan, infinite = not_finite(tensor)
    return Tensor(
        name=tensor.name,
        shape=tensor.shape,
        dtype=dtype_name(tensor.type),
        elements=count,
        zeros=1 - kept / count if count else 0.0,
        unique_per_channel=unique,
        quantization=tensor.quantization,
        stored_bytes=len(tensor.data),
        sparse=tensor.sparsity is not None,
        nan=nan,
        infinite=infinite,
        subgraph=subgraph,
    )


def _stored(tensor: FlatTensor, axis: int | None) -> tuple[int, int]:
    """How many values are no zeros, and the most distinct ones of any channel."""
    if tensor.sparsity is None:
        return nonzero(tensor), distinct(tensor, axis)
    found = values(tensor)
    if found is None:
        return 0, 0
    return int(np.count_nonzero(found != tensor.zero_point)), _unique_sparse(tensor, tensor.sparsity, found, axis)


def rows(tensor: FlatTensor, axis: int) -> npt.NDArray[Any] | None:
    """The values less the zero points with `axis` first, a sparse tensor's spread out; None where they cannot
    be read or a sparse tensor claims more than `MOST_SPREAD` elements."""
    found = values(tensor)
    if found is None or found.size == 0 or axis >= len(tensor.shape):
        return None
    if tensor.sparsity is not None:
        if elements(tensor.shape) > MOST_SPREAD:
            return None
        dense = np.zeros(tensor.shape, found.dtype)
        dense[tuple(coordinates(tensor.sparsity, tensor.shape, found.size).T)] = found
        found = dense
    shaped = found.reshape(tensor.shape)
    if tensor.zero_points.any():
        shaped = shaped.astype(np.int32) - _spread(tensor)
    return np.moveaxis(shaped, axis, 0)


def _spread(tensor: FlatTensor) -> npt.NDArray[np.int64]:
    """Zero points in a shape that goes with the tensor's."""
    points, found = tensor.zero_points, tensor.quantization
    if len(points) == 1 or found is None or found.axis is None:
        return points[:1]
    if found.block is not None:
        side = tensor.shape[-1]
        return np.repeat(points.reshape(elements(tensor.shape) // side, -1), found.block, axis=1)[:, :side].reshape(
            tensor.shape
        )
    sides = [1] * len(tensor.shape)
    sides[found.axis] = len(points)
    return points.reshape(sides)


def _unique_sparse(tensor: FlatTensor, sparsity: Sparsity, found: npt.NDArray[Any], axis: int | None) -> int:
    """As in the dense tensor, without making it: a damaged file may claim one of any size."""
    check(sparsity, tensor.shape, found.size)
    edges = _edges(tensor, sparsity, found.size, axis)
    if edges is None:
        channels = coordinates(sparsity, tensor.shape, found.size)[:, axis or 0]
        order = np.argsort(channels, kind="stable")
        found = found[order]
        edges = [int(edge) + 1 for edge in np.flatnonzero(np.diff(channels[order]))]
    size = elements(tensor.shape) // (1 if axis is None else tensor.shape[axis])
    most = 1
    for start, end in pairwise(sorted({0, *edges, found.size})):
        own = found[start:end]
        most = max(most, most_distinct(np.array(own)[None]) + int(len(own) < size and not (own == 0).any()))
    return most


def _edges(tensor: FlatTensor, sparsity: Sparsity, stored: int, axis: int | None) -> list[int] | None:
    """Where the stored values of another channel begin; None where the channels are mixed."""
    edges: list[int] = []
    last = 0
    for start in range(0, stored, PLACES):
        own = places(sparsity, tensor.shape, start, min(start + PLACES, stored))
        if axis is not None:
            steps = np.diff(own[:, axis], prepend=last)
            if (steps < 0).any():
                return None
            edges += [start + int(edge) for edge in np.flatnonzero(steps)]
            last = int(own[-1, axis])
    return edges
