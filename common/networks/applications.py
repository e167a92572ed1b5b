"""The networks of tf_keras.applications, untrained: nothing is downloaded."""

import inspect
from typing import Any

import tf_keras
from tf_keras import layers


def application(name: str, input_shape: tuple[int, int, int], classes: int) -> Any:
    """The application `name` for images in [0, 1], without its own preprocessing of raw pixels.

    Raises what Keras raises, a ValueError where the images are too small for it.
    """
    make = getattr(tf_keras.applications, name)
    settings: dict[str, Any] = {"weights": None, "classes": classes, "input_shape": input_shape}
    if "include_preprocessing" in inspect.signature(make).parameters:
        settings["include_preprocessing"] = False
    elif name.startswith("EfficientNetB"):
        # Divides by 255 and cannot be told not to; that far from 1, its BatchNormalization sees noise.
        raw = layers.Rescaling(255.0, name="raw_pixels")(layers.Input(input_shape))
        settings["input_tensor"] = raw
    model = make(**settings)
    if name.startswith("RegNet"):
        # tf_keras 2.21 gives its logits, whatever classifier_activation says.
        model = tf_keras.Model(model.input, layers.Softmax(name="probabilities")(model.output), name=model.name)
    return model
