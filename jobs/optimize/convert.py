"""The only caller of the TFLite converter and of litert-quantizer."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.batches import even_rows
from common.schema.recipe import CALIBRATED, Convert

INTEGER_OPERATORS = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}
INTEGER_TYPES = {"int8": tf.int8, "int16x8": tf.int16}
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
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        return _configured(converter, settings, images, aware=aware, sparse=sparse)


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


def _configured(
    converter: Any, settings: Convert, images: npt.NDArray[np.uint8], *, aware: bool, sparse: bool
) -> bytes:
    optimizations = [tf.lite.Optimize.DEFAULT] if settings.format != "float32" else []
    if sparse:
        optimizations.append(tf.lite.Optimize.EXPERIMENTAL_SPARSITY)
    converter.optimizations = optimizations
    if settings.format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if settings.format in CALIBRATED and not aware:
        converter.representative_dataset = lambda: _representative(images, settings.calibration_images)
        converter.target_spec.supported_ops = [INTEGER_OPERATORS[settings.format]]
    if settings.integer_io:
        converter.inference_input_type = INTEGER_TYPES[settings.format]
        converter.inference_output_type = INTEGER_TYPES[settings.format]
    content: bytes = converter.convert()
    return content


def _quantised(content: bytes, recipe_name: str) -> bytes:
    from litert_quantizer import quantizer, recipe  # half a second, and few recipes need it

    made = quantizer.Quantizer(content)
    made.load_quantization_recipe(getattr(recipe, recipe_name)())
    with contextlib.redirect_stdout(io.StringIO()):  # It prints a summary of sizes.
        return bytes(made.quantize().quantized_model)


def _representative(images: npt.NDArray[np.uint8], count: int) -> Iterator[list[npt.NDArray[np.float32]]]:
    for row in even_rows(len(images), count):
        yield [images[row : row + 1].astype(np.float32) / np.float32(255)]
