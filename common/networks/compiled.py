"""A model made ready for its first step, everything that training changes included."""

from typing import Any

import tensorflow as tf


def compile_whole(model: Any, optimizer: Any, loss: str) -> None:
    """Compile `model` [n, ...] to [n, classes], and count its accuracy.

    Keras makes the state of optimizer, loss and metrics in the first step: it traces the step twice for that, and the
    first checkpoint of a fresh optimizer could not be matched.
    """
    model.compile(optimizer, loss, metrics=["accuracy"])
    optimizer.build(model.trainable_variables)
    nothing = tf.zeros((1, model.output_shape[-1]))
    model.compiled_loss.build(nothing)
    model.compiled_metrics.build(nothing, nothing)
