"""Whether a model that comes from outside is a classifier that every later stage can work on."""

from typing import Any

import numpy as np
import tf_keras

from common.errors import UsageError
from common.networks.flat import flattened

# Probabilities of a random image may miss one by rounding.
TOLERANCE = 1e-3
SEED = 0
SOFTMAX_HINT = "end it with Dense(classes, activation='softmax')"
# What Keras makes of the classes of a SavedModel that it does not know.
REVIVED = "tf_keras.src.saving.legacy.saved_model.load"


def adopted(model: Any, source: str, input_shape: tuple[int, int, int], classes: int) -> Any:
    """`model` as the later stages want it: one graph of layers in float32 that takes [n, *input_shape] in [0, 1] and
    gives probabilities [n, classes]. The model itself where it is that already.

    Raises UsageError naming `source` for what cannot be made so.
    """
    _check_kind(model, source)
    _check_input(model, source, input_shape)
    try:
        model = flattened(model, input_shape)
    except UsageError as error:
        raise error.of(source) from error
    _check_output(model, source, input_shape, classes)
    return model


def _check_input(model: Any, source: str, input_shape: tuple[int, int, int]) -> None:
    if len(model.inputs) != 1:
        message = f"{source} takes {len(model.inputs)} inputs, but an image is one"
        raise UsageError(message, hint="give it one input of images")
    given = _one(model.input_shape)
    fits = isinstance(given, tuple) and len(given) == len(input_shape) + 1
    if not fits or any(side not in (None, own) for side, own in zip(given[1:], input_shape, strict=True)):
        message = (
            f"{source} takes inputs {_sides(given)}, but the experiment's images are {_sides((None, *input_shape))}"
        )
        raise UsageError(message, hint="change [data] height and width, or the model")
    dtype = model.inputs[0].dtype
    if not dtype.is_floating:
        message = f"{source} takes {dtype.name}, but the experiment's images are real numbers from 0 to 1"
        raise UsageError(message, hint="begin it with an Input of float32, and leave out what brings pixels there")


def _check_output(model: Any, source: str, input_shape: tuple[int, int, int], classes: int) -> None:
    if len(model.outputs) != 1:
        message = f"{source} gives {len(model.outputs)} outputs, but the classes' probabilities are one"
        raise UsageError(message, hint=SOFTMAX_HINT)
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
    if not _is_graph(model):
        kind = type(model).__qualname__
        raise UsageError(f"{source} gave the subclassed model {kind}", hint="use a functional or Sequential model")
    for layer in (part for part in model.submodules if isinstance(part, tf_keras.layers.Layer)):
        if not _is_of_keras(layer):
            message = f"{source} has the layer '{layer.name}' of its own class {type(layer).__qualname__}"
            raise UsageError(message, hint="a saved model can hold Keras' own layers only")
        if isinstance(layer, tf_keras.Model) and not _is_graph(layer):
            message = f"{source} has the subclassed model '{layer.name}' ({type(layer).__qualname__}) inside"
            raise UsageError(message, hint="use functional or Sequential models")


def _is_graph(model: Any) -> bool:
    return _is_of_keras(model) and bool(model._is_graph_network)


def _is_of_keras(part: Any) -> bool:
    module = type(part).__module__
    return module.startswith("tf_keras.") and module != REVIVED


def _one(shape: Any) -> Any:
    # Keras gives a list of shapes for an input layer, and where there are several inputs or outputs.
    return shape[0] if isinstance(shape, list) and len(shape) == 1 else shape


def _sides(shape: Any) -> str:
    if not isinstance(shape, tuple):
        return f"{shape}"
    return " x ".join("n" if side is None else str(side) for side in shape)
