"""A network that was made for pixels of 0 to 255 is known by how it begins."""

from collections.abc import Callable
from typing import Any

import pytest
import tf_keras
from tf_keras import layers

from common.networks.applications import application
from common.networks.pixels import scaler

SHAPE = (32, 32, 3)


def sequential(*parts: Any) -> Any:
    return tf_keras.Sequential([layers.Input(SHAPE), *parts, layers.Flatten(), layers.Dense(2, activation="softmax")])


def _preprocessed() -> Any:
    images = layers.Input(SHAPE)
    scaled = tf_keras.applications.mobilenet_v2.preprocess_input(layers.RandomFlip()(images))
    return tf_keras.Model(images, layers.Dense(2, activation="softmax")(layers.Flatten()(scaled)))


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (lambda: sequential(layers.Rescaling(1 / 255, name="down")), "down"),
        (lambda: sequential(layers.RandomRotation(0.1), layers.Rescaling(1 / 127.5, offset=-1, name="down")), "down"),
        (_preprocessed, "tf.math.truediv"),
        (lambda: sequential(layers.Rescaling(2.0, offset=-1.0)), None),
        (lambda: sequential(layers.Conv2D(2, 3), layers.Rescaling(1 / 255)), None),
        (sequential, None),
        # It brings images back to pixels before it scales them.
        pytest.param(lambda: application("EfficientNetB0", SHAPE, 2), None, marks=pytest.mark.slow),
    ],
)
def test_what_scales_pixels_down_is_found_at_the_beginning(build: Callable[[], Any], found: str | None) -> None:
    name = scaler(build())
    assert name == found or (found is not None and str(name).startswith(found))
