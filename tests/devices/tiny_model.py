"""A real model of a few kilobytes, for tests that run one. `python -m tests.devices.tiny_model` makes it anew."""

from pathlib import Path

PATH = Path(__file__).with_name("tiny.tflite")
# What the tests rely on: one float32 input of this shape, two classes out.
SHAPE = (1, 8, 8, 3)
CLASSES = 2


def make() -> bytes:
    """A small classifier with fixed random weights, converted as float32."""
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, activation="relu", input_shape=SHAPE[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


if __name__ == "__main__":
    PATH.write_bytes(make())
