"""Models taken layer by layer: exchange some, and find settings by the patterns of their names."""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import tf_keras

from common.errors import UsageError

Setting = TypeVar("Setting")


def exchange(model: Any, change: Callable[[Any], Any]) -> Any:
    """A model of the same connections in which `change` was applied to every layer that is no model
    itself. Layers that `change` returns as they are stay the same objects, with their weights."""

    def enter(layer: Any) -> Any:
        return exchange(layer, change) if isinstance(layer, tf_keras.Model) else change(layer)

    return tf_keras.models.clone_model(model, clone_function=enter)


def leaves(model: Any) -> Iterator[Any]:
    """All layers that are no models themselves, those of nested models among them, without inputs."""
    for layer in model.layers:
        if isinstance(layer, tf_keras.Model):
            yield from leaves(layer)
        elif not isinstance(layer, tf_keras.layers.InputLayer):
            yield layer


def chosen(patterns: Mapping[str, Setting], name: str, otherwise: Setting) -> Setting:
    """The setting of the first pattern that matches a layer's name, in the experiment file's order."""
    return next((value for pattern, value in patterns.items() if fnmatchcase(name, pattern)), otherwise)


def require_known(patterns: Mapping[str, object], model: Any, pass_name: str) -> None:
    """Raise UsageError naming a pattern that matches no layer of the model."""
    names = [layer.name for layer in leaves(model)]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            hint = f"layers with weights: {', '.join(layer.name for layer in leaves(model) if layer.weights)}"
            raise UsageError(f"{pass_name}: no layer is named like '{pattern}'", hint=hint)
