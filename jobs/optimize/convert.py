"""The only caller of the TFLite converter."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.schema.recipe import CALIBRATED, Convert

INTEGER_OPERATORS = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}
INTEGER_TYPES = {"int8": tf.int8, "int16x8": tf.int16}


def convert(model: Any, settings: Convert, images: npt.NDArray[np.uint8]) -> bytes:
    """A Keras model as the bytes of a .tflite file in the recipe's format.

    `images` uint8 [n, h, w, 3] are the training images that a full-integer format is calibrated on.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if settings.format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if settings.format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if settings.format in CALIBRATED:
        converter.representative_dataset = lambda: _representative(images, settings.calibration_images)
        converter.target_spec.supported_ops = [INTEGER_OPERATORS[settings.format]]
        if settings.integer_io:
            converter.inference_input_type = INTEGER_TYPES[settings.format]
            converter.inference_output_type = INTEGER_TYPES[settings.format]
    content: bytes = converter.convert()
    return content


def _representative(images: npt.NDArray[np.uint8], count: int) -> Iterator[list[npt.NDArray[np.float32]]]:
    # An even choice over the whole split, which is not ordered by class.
    for row in np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)):
        yield [images[row : row + 1].astype(np.float32) / np.float32(255)]
