"""Models taken layer by layer: exchange some, and a layer that Keras has none of."""

from collections.abc import Callable
from typing import Any

import tf_keras


def exchange(model: Any, change: Callable[[Any], Any]) -> Any:
    """A model of the same connections in which `change` was applied to every layer that is no model
    itself. Layers that `change` returns as they are stay the same objects, with their weights."""

    def enter(layer: Any) -> Any:
        return exchange(layer, change) if isinstance(layer, tf_keras.Model) else change(layer)

    return tf_keras.models.clone_model(model, clone_function=enter)


class Shift(tf_keras.layers.Layer):  # type: ignore[misc]
    """Adds a number to each channel, the last side, which no training changes.

    A BatchNormalization of scale one would not do: where processors have AVX-512, TensorFlow's 1 / sqrt(1) is
    0.9999999, and the converter keeps the multiplication.
    """

    def build(self, input_shape: Any) -> None:
        """One number per channel."""
        self.shift = self.add_weight(name="shift", shape=input_shape[-1:], trainable=False)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """The sum."""
        return inputs + self.shift
