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


def predict(model: Path | bytes, images: npt.NDArray[np.uint8], workers: int | None = None) -> npt.NDArray[np.float32]:
    """Outputs float32 [n, classes] of a file or its content, dequantised, for images uint8 [n, h, w, 3] that are
    scaled to [0, 1].

    Raises EdgeproofError naming the file when LiteRT cannot load or run it.
    """
    workers = workers or os.cpu_count() or 1
    edges = np.linspace(0, len(images), workers + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        # LiteRT releases the GIL while it runs; each worker has an interpreter of its own.
        parts = pool.map(lambda ends: _predict_part(model, images[ends[0] : ends[1]]), pairwise(edges))
        return np.concatenate([part for part in parts if len(part)])


def _predict_part(model: Path | bytes, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    outputs: list[npt.NDArray[np.float32]] = []
    try:
        given = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
        interpreter = Interpreter(**given, num_threads=1)
        # A single image has the model's own shape, so that no resizing would allocate.
        interpreter.allocate_tensors()
        for start in range(0, len(images), BATCH):
            outputs.append(_run(interpreter, images[start : start + BATCH]))
    except (RuntimeError, ValueError) as error:
        name = "the converted model" if isinstance(model, bytes) else str(model)
        raise EdgeproofError(f"{name} cannot be run: {error}", hint="is it a .tflite classifier?") from None
    return np.concatenate(outputs) if outputs else np.empty((0, 0), np.float32)


def _run(interpreter: Any, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    port = interpreter.get_input_details()[0]
    if tuple(port["shape"]) != images.shape:
        interpreter.resize_tensor_input(port["index"], images.shape, strict=False)
        interpreter.allocate_tensors()
    interpreter.set_tensor(port["index"], quantise(images.astype(np.float32) / np.float32(255), port))
    interpreter.invoke()
    result = interpreter.get_output_details()[0]
    return dequantise(interpreter.get_tensor(result["index"]), result)


def quantise(values: npt.NDArray[np.float32], port: Any) -> npt.NDArray[Any]:
    """Values float32 in the type of a tensor, described as `get_input_details` does."""
    if port["dtype"] == np.float32:
        return values
    scale, zero_point = port["quantization"]
    limits = np.iinfo(port["dtype"])
    levels = np.clip(np.round(values / scale) + zero_point, limits.min, limits.max)
    return np.asarray(levels, dtype=port["dtype"])


def dequantise(values: npt.NDArray[Any], port: Any) -> npt.NDArray[np.float32]:
    """A tensor's values as float32; integers without a scale stand for themselves."""
    if port["dtype"] == np.float32:
        return np.array(values)
    scale, zero_point = port["quantization"]
    if scale == 0:
        return np.asarray(values, dtype=np.float32)
    return np.asarray((values.astype(np.float32) - zero_point) * scale, dtype=np.float32)
