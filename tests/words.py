"""Whether what is said of a network's layers is so in its file, told without the names of tensors."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from common.tflite.reader import Inspection
from jobs.optimize.matrices import matrices

# Cosine of a channel's weights in the network and in the file, of which int8 keeps seven bits.
ALIKE = 0.99
INT8 = ("quantised", "int8 by calibration")


def untrue(model: Any, found: Inspection, words: Mapping[str, str]) -> Iterator[str]:
    """Words for layers that the file contradicts: the kernel that points where a layer's own does, channel by channel,
    has another type than the word says. `model` is the one that was converted."""
    for place, kernel in matrices(model):
        word = words.get(place.layer)
        dtype = None if word is None else _in_file(np.asarray(kernel), found)
        if word is None or dtype is None or word.startswith("run as hybrid"):
            continue
        if (dtype == "int8") != word.startswith(INT8):
            yield f"{place.layer}: {word}, and its kernel is {dtype}"


def known(model: Any, found: Inspection, layer: str) -> bool:
    """Whether a kernel of the layer is recognised in the file at all."""
    own = [np.asarray(kernel) for place, kernel in matrices(model) if place.layer == layer]
    return any(_in_file(kernel, found) is not None for kernel in own)


def _in_file(kernel: npt.NDArray[np.float32], found: Inspection) -> str | None:
    """The type of the file's kernels that point where this one does; None where none does, or several of two types."""
    types = {
        item.tensor.dtype
        for item in found.kernels
        if item.rows is not None and item.rows.size == kernel.size and _alike(kernel, item.rows)
    }
    return types.pop() if len(types) == 1 else None


def _alike(kernel: npt.NDArray[np.float32], rows: npt.NDArray[Any]) -> bool:
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    transposed = np.moveaxis(kernel, -2, 0).reshape(kernel.shape[-2], -1)
    depthwise = kernel.reshape(-1, int(np.prod(kernel.shape[-2:]))).T
    for own in (kernel.reshape(-1, kernel.shape[-1]).T, transposed, depthwise):
        if own.shape != flat.shape:
            continue
        lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(flat, axis=1)
        cosine = np.abs(np.sum(own * flat, axis=1))[lengths > 0] / lengths[lengths > 0]
        if cosine.size and np.median(cosine) > ALIKE:
            return True
    return False
