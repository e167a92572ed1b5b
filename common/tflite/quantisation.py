"""The quantisation parameters of a tensor, read from the flatbuffer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from common.schema.tflite import Quantization

Integers = npt.NDArray[np.int64]
NONE: Integers = np.zeros(1, np.int64)
SCALES: dict[str, Any] = {"FLOAT16": np.float16, "FLOAT32": np.float32}
POINTS: dict[str, Any] = {"INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64}
# Type in the schema's spelling and stored bytes of a tensor, by its index.
Stored = Callable[[int], tuple[str, npt.NDArray[np.uint8] | None]]


def affine(parameters: Any) -> tuple[Quantization | None, Integers]:
    """The parameters and all zero points of a QuantizationParameters table; None without scales.

    There are as many zero points as scales, or one: some converters leave out the others.
    """
    scales, given = parameters.ScaleAsNumpy(), parameters.ZeroPointAsNumpy()
    if np.ndim(scales) == 0 or not len(scales):
        return None, NONE
    points: Integers = np.asarray(given, np.int64) if np.ndim(given) and len(given) else NONE
    points = points if len(points) == len(scales) else points[:1]
    axis = int(parameters.QuantizedDimension()) if len(scales) > 1 else None
    return _parameters(scales, points, axis, None), points


def blockwise(blocks: Any, stored: Stored) -> tuple[Quantization | None, Integers]:
    """The same of a BlockwiseQuantization table, whose scales are a tensor of their own, [rows, blocks per row].

    Raises ValueError where they cannot be read.
    """
    scales = _constant(stored(blocks.Scales()), SCALES, "scales")
    # The first tensor stands for none: it is never one of zero points.
    points: Integers = NONE
    if blocks.ZeroPoints() > 0:
        points = _constant(stored(blocks.ZeroPoints()), POINTS, "zero points").astype(np.int64)
        points = points if len(points) == len(scales) else points[:1]
    return _parameters(scales, points, 0, int(blocks.BlockSize())), points


def _constant(stored: tuple[str, npt.NDArray[np.uint8] | None], kinds: dict[str, Any], what: str) -> npt.NDArray[Any]:
    kind, data = stored
    if kind not in kinds or data is None:
        raise ValueError(f"the {what} of its blocks are not in the file")
    return np.frombuffer(data, kinds[kind])


def _parameters(scales: npt.NDArray[Any], points: Integers, axis: int | None, block: int | None) -> Quantization:
    finite, ordered = scales[np.isfinite(scales)], np.sort(points)
    return Quantization(
        scales=len(scales),
        scale_low=float(finite.min()) if len(finite) else 0.0,
        scale_high=float(finite.max()) if len(finite) else 0.0,
        # np.unique loads masked arrays, 2 MB that nothing else needs.
        zero_points=(int(ordered[0]), *ordered[1:][ordered[1:] != ordered[:-1]].tolist()),
        axis=axis,
        block=block,
        not_finite=len(scales) - len(finite),
    )
