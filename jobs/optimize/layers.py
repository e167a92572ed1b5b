"""Models taken layer by layer: exchange some, and know those that are no normalisation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras


def exchange(model: Any, change: Callable[[Any], Any]) -> Any:
    """A model of the same connections in which `change` was applied to every layer that is no model
    itself. Layers that `change` returns as they are stay the same objects, with their weights."""

    def enter(layer: Any) -> Any:
        return exchange(layer, change) if isinstance(layer, tf_keras.Model) else change(layer)

    return tf_keras.models.clone_model(model, clone_function=enter)


def only_shifts(layer: Any) -> bool:
    """Whether a BatchNormalization is the addition that folding left behind: frozen, and its scale exactly one.

    A frozen one of a network that was trained before is a normalisation still.
    """
    one = np.float32(1.0) - np.float32(layer.epsilon)
    still = not layer.trainable and not layer.scale and not np.asarray(layer.moving_mean).any()
    return bool(still and (np.asarray(layer.moving_variance) == one).all())
