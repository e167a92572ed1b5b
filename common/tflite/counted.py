"""Zeros and distinct values of a constant, piece by piece: a small part is unpacked or copied at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from common.tflite.flat import FlatTensor
from common.tflite.tensors import DTYPES, PACKED, block, elements, values

Values = npt.NDArray[Any]
# Elements of a piece: less than a MB with all that numpy makes of them.
PIECE = 1 << 16
# Of a row this long counting is faster than sorting, where its type has few values.
LONG_ROW = 1 << 11
# Parts of one huge row that are sorted at a time, each by a pass over all of it.
PARTS = 12
# Bits by which values are told apart at a time.
BITS = 12
HALF, WORD = 2, 4
REAL = ("FLOAT16", "FLOAT32", "FLOAT64")
NEGATIVE_ZERO, INFINITY, NAN = 0x8000, 0x7C00, 0x7E00


def nonzero(tensor: FlatTensor) -> int:
    """How many values differ from their zero point. Raises ValueError where the quantisation contradicts the shape."""
    points = tensor.zero_points
    if len(points) == 1 or (points == points[0]).all():
        zero = int(points[0])
        return sum(int(np.count_nonzero(piece != zero)) for _, piece in _pieces(tensor))
    count = elements(tensor.shape)
    found = 0
    for start, piece in _pieces(tensor):
        found += int(np.count_nonzero(piece != _points(tensor, start, min(start + len(piece), count))))
    return found


def not_finite(tensor: FlatTensor) -> tuple[int, int]:
    """How many values are NaN, and how many infinite."""
    nan = infinite = 0
    for _, piece in _pieces(tensor) if tensor.type in REAL else ():
        if not np.isfinite(piece).all():
            nan += int(np.isnan(piece).sum())
            infinite += int(np.isinf(piece).sum())
    return nan, infinite


def _points(tensor: FlatTensor, start: int, end: int) -> npt.NDArray[np.int64]:
    """The zero point of every value from `start` to before `end`."""
    found, points = tensor.quantization, tensor.zero_points
    at: npt.NDArray[np.int64] = np.arange(start, end)
    if found is None or found.axis is None:
        return points[:1]
    if found.block is not None:
        side = tensor.shape[-1]
        per_row = -(-side // found.block) if found.block else 0
        if not per_row or per_row * (elements(tensor.shape) // side) != len(points):
            raise ValueError("the zero points of its blocks do not fit its shape")
        own: npt.NDArray[np.int64] = points[at // side * per_row + at % side // found.block]
        return own
    if not 0 <= found.axis < len(tensor.shape) or tensor.shape[found.axis] != len(points):
        raise ValueError("its zero points do not fit its shape")
    inner = elements(tensor.shape[found.axis + 1 :])
    spread: npt.NDArray[np.int64] = points[at // inner % len(points)]
    return spread


def _pieces(tensor: FlatTensor) -> Iterator[tuple[int, Values]]:
    """Values in the file's order with the place of the first of each piece."""
    count = _held(tensor)
    for start in range(0, count, PIECE):
        yield start, block(tensor, start, min(start + PIECE, count))


def _held(tensor: FlatTensor) -> int:
    """How many values stand in the file: of a sparse tensor not all."""
    if tensor.sparsity is None or tensor.data is None:
        return elements(tensor.shape)
    return len(tensor.data) // int(np.dtype(DTYPES[tensor.type]).itemsize)


def distinct(tensor: FlatTensor, axis: int | None) -> int:
    """The largest number of distinct values in any channel along `axis`, or in all of a tensor without."""
    count = elements(tensor.shape)
    if count == 0:
        return 0
    if axis in (None, 0):
        rows = 1 if axis is None else tensor.shape[0]
        return max(_of_rows(tensor, rows, count // rows))
    found = values(tensor)
    if found is None:
        return 0
    outer, channels = elements(tensor.shape[:axis]), tensor.shape[axis]
    turned = found.reshape(outer, channels, -1).transpose(1, 0, 2)
    step = max(1, PIECE // (count // channels))
    return max(
        most_distinct(np.array(turned[start : start + step]).reshape(min(step, channels - start), -1))
        for start in range(0, channels, step)
    )


def _of_rows(tensor: FlatTensor, rows: int, side: int) -> Iterator[int]:
    small = tensor.type in PACKED or tensor.type in ("INT8", "UINT8", "BOOL")
    if side > PIECE or (small and side >= LONG_ROW):
        for row in range(rows):
            yield _of_row(tensor, row * side, (row + 1) * side)
        return
    step = PIECE // side
    for start in range(0, rows, step):
        end = min(start + step, rows)
        yield most_distinct(np.array(block(tensor, start * side, end * side)).reshape(end - start, side))


def most_distinct(rows: Values) -> int:
    """The most distinct values of any row; `rows` is sorted in place. NaN is one value."""
    if rows.dtype == np.float16:
        rows = _comparable(rows)
    rows.sort(axis=1)
    found = 1 + np.count_nonzero(rows[:, 1:] != rows[:, :-1], axis=1)
    if rows.dtype.kind == "f" and np.isnan(rows[:, -1]).any():
        found -= np.maximum(np.isnan(rows).sum(axis=1) - 1, 0)
    return int(found.max())


def _comparable(rows: Values) -> Values:
    """The bits of float16, one pattern for a value: they are sorted ten times faster than what they stand for."""
    bits = rows.view(np.uint16)
    bits[bits == NEGATIVE_ZERO] = 0
    bits[bits & 0x7FFF > INFINITY] = NAN
    return bits


def _of_row(tensor: FlatTensor, start: int, end: int) -> int:
    """Distinct values from `start` to before `end`, in pieces."""
    if tensor.type in PACKED:
        seen = np.zeros(256, bool)
        for at in range(start, end, PIECE):
            seen[block(tensor, at, min(at + PIECE, end)).view(np.uint8)] = True
        return int(seen.sum())
    row = block(tensor, start, end)
    if row.itemsize <= HALF:
        return _few(row)
    return _many(row)


def _bits(row: Values) -> Values:
    return row.view(f"u{row.itemsize}")


def _few(row: Values) -> int:
    """Distinct values of one or two bytes."""
    seen = np.zeros(1 << 8 * row.itemsize, bool)
    for piece in _small(row):
        seen[piece] = True
    return most_distinct(np.flatnonzero(seen).astype(f"u{row.itemsize}").view(row.dtype).reshape(1, -1))


def _small(row: Values) -> Iterator[Values]:
    """The bits of a row in pieces so small that numpy may turn them into indices, of eight bytes each."""
    for at in range(0, row.size, PIECE // 4):
        yield _bits(row[at : at + PIECE // 4])


def _many(row: Values) -> int:
    """Distinct values of four or eight bytes: those that begin alike are sorted together, some at a time."""
    found = zeros = 0
    nan = False
    for one in _alike(row, 0, 0):
        nan |= bool(np.isnan(one).any()) if one.dtype.kind == "f" else False
        numbers = one[~np.isnan(one)] if one.dtype.kind == "f" else one
        found += len(numbers)
        zeros += int((numbers == 0).any())
    # Zero with and without a sign begin differently and are one value.
    return found - max(zeros - 1, 0) + nan


def _alike(row: Values, known: int, start: int) -> Iterator[Values]:
    """The distinct values of which the first `known` bits are `start`, some at a time."""
    left = 8 * row.itemsize - known
    width = min(BITS, left)
    shift, low, most = left - width, start << width, max(PIECE // 4, row.size // PARTS)
    counts = np.zeros(1 << width, np.int64)
    for bits in _small(row):
        begin = bits >> shift
        counts += np.bincount(begin[(begin >= low) & (begin < low + len(counts))] - low, minlength=len(counts))
    for first, end in _groups(counts, most):
        count = int(counts[first:end].sum())
        if count > most and shift:
            yield from _alike(row, known + width, low + first)
        elif count > most:
            yield np.full(1, low + first, f"u{row.itemsize}").view(row.dtype)
        elif count:
            yield _sorted_out(row, shift, (low + first, low + end), count)


def _groups(starts: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Ranges of beginnings that together have no more than `most` values, and single ones that have more."""
    low = held = 0
    for at in np.flatnonzero(starts):
        if held and held + starts[at] > most:
            yield low, int(at)
            low, held = int(at), 0
        held += int(starts[at])
        if held > most:
            # What comes before it has no values.
            yield int(at), int(at) + 1
            low, held = int(at) + 1, 0
    if held:
        yield low, len(starts)


def _sorted_out(row: Values, shift: int, begins: tuple[int, int], count: int) -> Values:
    """The distinct ones of the `count` values whose bits begin with the first number to before the second."""
    kept = np.empty(count, row.dtype)
    filled = 0
    for bits in _small(row):
        begin = bits >> shift
        own = bits[(begin >= begins[0]) & (begin < begins[1])].view(row.dtype)
        kept[filled : filled + len(own)] = own
        filled += len(own)
    kept.sort()
    fresh = np.ones(len(kept), bool)
    fresh[1:] = kept[1:] != kept[:-1]
    return kept[fresh]
