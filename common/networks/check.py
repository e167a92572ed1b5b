"""Whether a model that comes from outside is a classifier that every later stage can work on."""

from typing import Any

import numpy as np
import tf_keras

from common.errors import UsageError

# Probabilities of a random image may miss one by rounding.
TOLERANCE = 1e-3
SEED = 0
SOFTMAX_HINT = "end it with Dense(classes, activation='softmax')"


def check(model: Any, source: str, input_shape: tuple[int, int, int], classes: int) -> None:
    """Raise UsageError naming `source` unless `model` takes [n, *input_shape] and gives probabilities [n, classes]."""
    _check_kind(model, source)
    if (given := _one(model.input_shape)) != (None, *input_shape):
        message = (
            f"{source} takes inputs {_sides(given)}, but the experiment's images are {_sides((None, *input_shape))}"
        )
        raise UsageError(message, hint="change [data] height and width, or the model")
    if (given := _one(model.output_shape)) != (None, classes):
        message = f"{source} gives outputs {_sides(given)}, but the {classes} classes need {_sides((None, classes))}"
        raise UsageError(message, hint=SOFTMAX_HINT)
    image = np.random.default_rng(SEED).random((1, *input_shape), dtype=np.float32)
    outputs = np.asarray(model.predict_on_batch(image), np.float64)
    if not (outputs.min() >= -TOLERANCE and abs(outputs.sum() - 1) <= TOLERANCE):
        shown = ", ".join(f"{value:.3g}" for value in outputs[0])
        raise UsageError(f"{source} does not give probabilities: {shown} for a random image", hint=SOFTMAX_HINT)


def _check_kind(model: Any, source: str) -> None:
    if not isinstance(model, tf_keras.Model):
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        raise UsageError(f"{source} gave a {kind}, not a tf_keras.Model", hint="build it with tf_keras (Keras 2)")
    if not _is_of_keras(model):
        kind = type(model).__qualname__
        raise UsageError(f"{source} gave the subclassed model {kind}", hint="use a functional or Sequential model")
    for layer in (part for part in model.submodules if isinstance(part, tf_keras.layers.Layer)):
        if not _is_of_keras(layer):
            message = f"{source} has the layer '{layer.name}' of its own class {type(layer).__qualname__}"
            raise UsageError(message, hint="a saved model can hold Keras' own layers only")


def _is_of_keras(part: Any) -> bool:
    return type(part).__module__.startswith("tf_keras.")


def _one(shape: Any) -> Any:
    # Keras gives a list of shapes for an input layer, and where there are several inputs or outputs.
    return shape[0] if isinstance(shape, list) and len(shape) == 1 else shape


def _sides(shape: Any) -> str:
    if not isinstance(shape, tuple):
        return f"{shape}"
    return " x ".join("n" if side is None else str(side) for side in shape)
