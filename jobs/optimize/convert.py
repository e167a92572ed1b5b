"""The only caller of the TFLite converter."""

from typing import Any

import tensorflow as tf

from common.schema.recipe import Convert


def convert(model: Any, settings: Convert) -> bytes:
    """A Keras model as the bytes of a .tflite file in the recipe's format."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if settings.format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if settings.format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content
