"""A Keras model to the bytes of a .tflite file, by the TFLite converter or litert-quantizer."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.batches import even_rows
from common.converter import converted
from common.schema.recipe import Convert

FROM_LITERT_QUANTIZER = (
    "dynamic_wi8_afp32",
    "dynamic_wi4_afp32",
    "weight_only_wi8_afp32",
    "weight_only_wi4_afp32",
)


def convert(model: Any, settings: Convert, images: npt.NDArray[np.uint8], *, aware: bool = False) -> bytes:
    """A Keras model as the bytes of a .tflite file in the recipe's format.

    `images` uint8 [n, h, w, 3] are the training images that a full-integer format is calibrated on; an
    `aware` model brings its ranges along. A sparse file is given only where it is the smaller one.
    """
    if settings.format in FROM_LITERT_QUANTIZER:
        return _quantised(_converted(model, Convert(format="float32"), images, aware=False), settings.format)
    content = _converted(model, settings, images, aware=aware)
    if not settings.sparse:
        return content
    return min(content, _converted(model, settings, images, aware=aware, sparse=True), key=len)


def _converted(
    model: Any, settings: Convert, images: npt.NDArray[np.uint8], *, aware: bool, sparse: bool = False
) -> bytes:
    # The converter's own way from a Keras model writes every layer's training functions too, and takes twice as long.
    with tempfile.TemporaryDirectory() as folder:
        inference = _inference(model)
        tf.saved_model.save(inference, folder, signatures=inference.serve)
        samples = None if aware else lambda: _representative(images, settings.calibration_images)
        return converted(Path(folder), settings, samples, sparse=sparse)


def _inference(model: Any) -> Any:
    """The model's call at inference, with the names of its inputs and outputs, and nothing else of it."""
    module = tf.Module()
    module.model_variables = model.variables
    signature = [
        tf.TensorSpec(port.shape, port.dtype, name) for port, name in zip(model.inputs, model.input_names, strict=True)
    ]

    def serve(*given: Any) -> dict[str, Any]:
        found = model(given[0] if len(given) == 1 else list(given), training=False)
        return dict(zip(model.output_names, found if isinstance(found, list) else [found], strict=True))

    module.serve = tf.function(serve, input_signature=signature, autograph=False)
    return module


def _quantised(content: bytes, recipe_name: str) -> bytes:
    from litert_quantizer import quantizer, recipe  # half a second, and few recipes need it

    made = quantizer.Quantizer(content)
    made.load_quantization_recipe(getattr(recipe, recipe_name)())
    with contextlib.redirect_stdout(io.StringIO()):  # It prints a summary of sizes.
        return bytes(made.quantize().quantized_model)


def _representative(images: npt.NDArray[np.uint8], count: int) -> Iterator[list[npt.NDArray[np.float32]]]:
    for row in even_rows(len(images), count):
        yield [images[row : row + 1].astype(np.float32) / np.float32(255)]
