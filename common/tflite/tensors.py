"""The stored values of constant tensors, all or a part of them."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from common.tflite.flat import Bytes, FlatTensor

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


def readable(tensor: FlatTensor) -> bool:
    """Whether there are values of a type that is known."""
    return tensor.data is not None and (tensor.type in DTYPES or tensor.type in PACKED)


def misfit(tensor: FlatTensor) -> str | None:
    """How the data of a constant contradicts its shape; None where it fits or cannot be read."""
    if tensor.data is None or not readable(tensor):
        return None
    if tensor.type in PACKED:
        wanted = -(-elements(tensor.shape) * PACKED[tensor.type][0] // 8)
    elif tensor.sparsity is not None:
        size = np.dtype(DTYPES[tensor.type]).itemsize
        wanted = len(tensor.data) // size * size
    else:
        wanted = elements(tensor.shape) * np.dtype(DTYPES[tensor.type]).itemsize
    return None if len(tensor.data) == wanted else f"has {len(tensor.data)} bytes of data, and its shape {wanted}"


def values(tensor: FlatTensor) -> npt.NDArray[Any] | None:
    """The stored values, one-dimensional, in the file's order; None where there are none to read.

    Values of 2 and 4 bits come as int8 or uint8. Raises ValueError where there are not as many as the shape says.
    """
    if tensor.data is None or not readable(tensor):
        return None
    if misfit(tensor) is not None:
        raise ValueError("a tensor's data does not fit its shape")
    if tensor.type in PACKED:
        return block(tensor, 0, elements(tensor.shape))
    found: npt.NDArray[Any] = np.frombuffer(tensor.data, DTYPES[tensor.type])
    return found


def block(tensor: FlatTensor, start: int, end: int) -> npt.NDArray[Any]:
    """Values from `start` to before `end` in the file's order, of a tensor that is readable and fits."""
    data: Any = tensor.data
    if tensor.type in PACKED:
        bits, signed = PACKED[tensor.type]
        per_byte = 8 // bits
        first = start // per_byte
        unpacked = _unpacked(data[first : -(-end // per_byte)], bits, signed)
        return unpacked[start - first * per_byte : end - first * per_byte]
    found: npt.NDArray[Any] = np.frombuffer(data, DTYPES[tensor.type])
    return found[start:end]


def _unpacked(data: Bytes, bits: int, signed: bool) -> npt.NDArray[Any]:
    # The highest bit of a value with a sign counts negative.
    shift, kind = 8 - bits, np.int8 if signed else np.uint8
    found = np.empty((len(data), 8 // bits), np.uint8)
    for place in range(8 // bits):
        np.left_shift(data, shift - place * bits, out=found[:, place])
    return np.right_shift(found.reshape(-1).view(kind), shift)
