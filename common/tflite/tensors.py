"""The values of constant tensors: unpacked, counted, described."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from common.schema.tflite import Tensor
from common.tflite.flat import Bytes, FlatTensor, Sparsity
from common.tflite.sparse import coordinates

DTYPES: dict[str, Any] = {
    "FLOAT64": np.float64,
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "INT64": np.int64,
    "INT32": np.int32,
    "INT16": np.int16,
    "INT8": np.int8,
    "UINT64": np.uint64,
    "UINT32": np.uint32,
    "UINT16": np.uint16,
    "UINT8": np.uint8,
    "BOOL": np.bool_,
}
# Spread out, 64 Mi elements take 256 MiB of floats; a damaged file may claim any number.
MOST_SPREAD = 1 << 26
# Types of several values per byte, the first in the lowest bits: bits per value, and whether it has a sign.
PACKED = {"INT4": (4, True), "UINT4": (4, False), "INT2": (2, True)}


def dtype_name(kind: str) -> str:
    """A schema type in numpy's spelling where numpy has it, in small letters otherwise."""
    return np.dtype(DTYPES[kind]).name if kind in DTYPES else kind.lower()


def elements(shape: tuple[int, ...]) -> int:
    """Number of elements; a side that is not known counts once."""
    return math.prod(1 if side < 0 else side for side in shape)


def weight_bytes(tensors: Iterable[FlatTensor]) -> int:
    """What constants take in the file; a buffer that several share counts once."""
    return sum({tensor.buffer: len(tensor.data) for tensor in tensors if tensor.data is not None}.values())


def values(tensor: FlatTensor) -> npt.NDArray[Any] | None:
    """The stored values, one-dimensional, in the file's order; None where there are none to read.

    Values of 2 and 4 bits come as int8 or uint8. Raises ValueError where there are not as many as the shape says.
    """
    if tensor.data is None or not (tensor.type in DTYPES or tensor.type in PACKED):
        return None
    if tensor.type in PACKED:
        return _unpacked(tensor.data, *PACKED[tensor.type], elements(tensor.shape))
    found: npt.NDArray[Any] = np.frombuffer(tensor.data, DTYPES[tensor.type])
    if tensor.sparsity is None and found.size != elements(tensor.shape):
        raise ValueError("a tensor's data does not fit its shape")
    return found


def rows(tensor: FlatTensor, axis: int) -> npt.NDArray[Any] | None:
    """The values less the zero point with `axis` first, a sparse tensor's spread out; None where they cannot
    be read or a sparse tensor claims more than `MOST_SPREAD` elements."""
    found = values(tensor)
    if found is None or found.size == 0:
        return None
    if tensor.sparsity is not None:
        if elements(tensor.shape) > MOST_SPREAD:
            return None
        dense = np.zeros(tensor.shape, found.dtype)
        dense[tuple(coordinates(tensor.sparsity, tensor.shape, found.size).T)] = found
        found = dense
    turned = np.moveaxis(found.reshape(tensor.shape), axis, 0)
    return turned.astype(np.int32) - tensor.zero_point if tensor.zero_point else turned


def _unpacked(data: Bytes, bits: int, signed: bool, count: int) -> npt.NDArray[Any]:
    if len(data) != -(-count * bits // 8):
        raise ValueError("a tensor's data does not fit its shape")
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    parts = ((data[:, None] >> shifts) & ((1 << bits) - 1)).reshape(-1)[:count]
    if not signed:
        return parts
    # The highest bit of a value with a sign counts negative.
    return parts.astype(np.int8) - (parts >= 1 << (bits - 1)).astype(np.int8) * np.int8(1 << bits)


def describe(tensor: FlatTensor, axis: int | None) -> Tensor | None:
    """The figures of a constant; `axis` is that of its output channels. None where there are no values to read.

    Raises ValueError where the data contradicts the shape.
    """
    found = values(tensor)
    if found is None or tensor.data is None:
        return None
    count = elements(tensor.shape)
    # What stands for zero in a quantised tensor is its zero point.
    nonzero = int(np.count_nonzero(found != tensor.zero_point))
    return Tensor(
        name=tensor.name,
        shape=tensor.shape,
        dtype=dtype_name(tensor.type),
        elements=count,
        zeros=1 - nonzero / count if count else 0.0,
        unique_per_channel=_unique(tensor, found, axis),
        quantization=tensor.quantization,
        stored_bytes=len(tensor.data),
        sparse=tensor.sparsity is not None,
    )


def _unique(tensor: FlatTensor, found: npt.NDArray[Any], axis: int | None) -> int:
    if tensor.sparsity is not None:
        return _unique_sparse(tensor, tensor.sparsity, found, axis)
    if not found.size:
        return 0
    rows = found.reshape(1, -1) if axis is None else np.moveaxis(found.reshape(tensor.shape), axis, 0)
    ordered = np.sort(rows.reshape(len(rows), -1), axis=1)
    return 1 + int(np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1).max())


def _unique_sparse(tensor: FlatTensor, sparsity: Sparsity, found: npt.NDArray[Any], axis: int | None) -> int:
    """As in the dense tensor, without making it: a damaged file may claim one of any size."""
    places = coordinates(sparsity, tensor.shape, found.size)
    channels = np.zeros(found.size, np.int64) if axis is None else places[:, axis]
    order = np.argsort(channels, kind="stable")
    edges = np.flatnonzero(np.diff(channels[order])) + 1
    size = elements(tensor.shape) // (1 if axis is None else tensor.shape[axis])
    most = 1
    for own in np.split(found[order], edges):
        distinct = np.unique(own)
        most = max(most, len(distinct) + int(len(own) < size and 0 not in distinct))
    return most
