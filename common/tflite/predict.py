"""Run a .tflite file over many images with LiteRT, on all cores."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from common.errors import EdgeproofError

BATCH = 16


UNIT = (0.0, 1.0)


def predict(
    model: Path | bytes,
    images: npt.NDArray[np.uint8],
    workers: int | None = None,
    pixels: tuple[float, float] = UNIT,
) -> npt.NDArray[np.float32]:
    """Outputs float32 [n, classes] of a file or its content, dequantised, for images uint8 [n, h, w, 3] that are
    scaled to `pixels`, [0, 1] unless the file wants others.

    Raises EdgeproofError naming the file when LiteRT cannot load or run it.
    """
    workers = workers or os.cpu_count() or 1
    edges = np.linspace(0, len(images), workers + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        # LiteRT releases the GIL while it runs; each worker has an interpreter of its own.
        parts = pool.map(lambda ends: _predict_part(model, images[ends[0] : ends[1]], pixels), pairwise(edges))
        return np.concatenate([part for part in parts if len(part)])


def _predict_part(
    model: Path | bytes, images: npt.NDArray[np.uint8], pixels: tuple[float, float]
) -> npt.NDArray[np.float32]:
    outputs: list[npt.NDArray[np.float32]] = []
    try:
        given = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
        interpreter = Interpreter(**given, num_threads=1)
        # A single image has the model's own shape, so that no resizing would allocate.
        interpreter.allocate_tensors()
        size = BATCH if len(images) > 1 and _takes_batches(interpreter, images[:BATCH]) else 1
        for start in range(0, len(images), size):
            outputs.append(_run(interpreter, images[start : start + size], pixels))
    except (RuntimeError, ValueError) as error:
        name = "the converted model" if isinstance(model, bytes) else str(model)
        raise EdgeproofError(f"{name} cannot be run: {error}", hint="is it a .tflite classifier?") from None
    return np.concatenate(outputs) if outputs else np.empty((0, 0), np.float32)


def _takes_batches(interpreter: Any, images: npt.NDArray[np.uint8]) -> bool:
    """Whether it can be resized to several images: a file from elsewhere may hold the batch of one in its graph."""
    port = interpreter.get_input_details()[0]
    shape, single = images.shape, [int(side) for side in port["shape"]]
    try:
        interpreter.resize_tensor_input(port["index"], shape, strict=False)
        interpreter.allocate_tensors()
        found = interpreter.get_output_details()[0]["shape"]
        if int(found[0]) == len(images):
            return True
    except (RuntimeError, ValueError):
        pass
    interpreter.resize_tensor_input(port["index"], single, strict=False)
    interpreter.allocate_tensors()
    return False


def scaled(images: npt.NDArray[np.uint8], pixels: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Images uint8 as real numbers float32, from pixels[0] for 0 to pixels[1] for 255."""
    unit = images.astype(np.float32) / np.float32(255)
    if tuple(pixels) == UNIT:
        return unit
    low, high = pixels
    return np.float32(low) + unit * np.float32(high - low)


def _run(interpreter: Any, images: npt.NDArray[np.uint8], pixels: tuple[float, float]) -> npt.NDArray[np.float32]:
    port = interpreter.get_input_details()[0]
    if tuple(port["shape"]) != images.shape:
        interpreter.resize_tensor_input(port["index"], images.shape, strict=False)
        interpreter.allocate_tensors()
    interpreter.set_tensor(port["index"], quantise(scaled(images, pixels), port))
    interpreter.invoke()
    result = interpreter.get_output_details()[0]
    return dequantise(interpreter.get_tensor(result["index"]), result)


def quantise(values: npt.NDArray[np.float32], port: Any) -> npt.NDArray[Any]:
    """Values float32 in the type of a tensor, described as `get_input_details` does."""
    if port["dtype"] == np.float32:
        return values
    scale, zero_point = port["quantization"]
    limits = np.iinfo(port["dtype"])
    # Without a scale the numbers stand for themselves.
    levels = np.clip(np.round(values / (scale or 1)) + zero_point, limits.min, limits.max)
    return np.asarray(levels, dtype=port["dtype"])


def dequantise(values: npt.NDArray[Any], port: Any) -> npt.NDArray[np.float32]:
    """A tensor's values as float32; integers without a scale stand for themselves."""
    if port["dtype"] == np.float32:
        return np.array(values)
    scale, zero_point = port["quantization"]
    if scale == 0:
        return np.asarray(values, dtype=np.float32)
    return np.asarray((values.astype(np.float32) - zero_point) * scale, dtype=np.float32)
