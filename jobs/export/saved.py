"""A saved Keras 3 model, loaded only when its file holds Keras' own layers and nothing else, or is trusted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from common.errors import UsageError
from common.keras_file import ZIPPED, classes, read_keras_file, said
from common.trust import require_trust

HINT = "save a whole functional or Sequential model as .keras by model.save of Keras 3"
KERAS_2_HINT = "name it as [model] architecture, with [train] epochs = 0 to take it as it is"
# Layers that hold code, or load it from a file that they name; and those that read a file that they name.
UNSAFE = frozenset(
    {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
    | {"StringLookup", "IntegerLookup", "TextVectorization", "FeatureSpace"}
)
# Operations that are given functions.
UNSAFE_OPERATIONS = frozenset(
    {"AssociativeScan", "Cond", "CustomGradient", "ForiLoop", "Map", "Scan", "Switch", "VectorizedMap", "WhileLoop"}
)
# How Keras writes values that JSON lacks.
VALUES = frozenset(
    {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__"}
)
PLACES = (
    *(keras.layers, keras.initializers, keras.regularizers, keras.constraints, keras.dtype_policies),
    # Written, though a model is loaded without them.
    *(keras.optimizers, keras.optimizers.schedules, keras.losses, keras.metrics),
)
FUNCTION, FUNCTIONS = "function", (keras.activations, keras.losses, keras.metrics)
PACKAGE, BUILT_IN = "keras", "builtins"


def load_saved(path: Path) -> Any:
    """The functional or Sequential model of a `.keras` or `.h5` file, uncompiled.

    Raises UsageError for what is no such model, and for one that may run code where that is not allowed.
    """
    held = read_keras_file(path, HINT)
    if path.suffix == ZIPPED and held.version and not held.is_keras_3:
        # Keras 3 reads the older format of Keras 2, and of its zips a few.
        raise UsageError(f"{path} was saved by Keras {held.version} (tf_keras)", hint=KERAS_2_HINT)
    try:
        why = held.link or _unsafe(held.layers)
        if why is not None:
            require_trust(path, why)
        model = keras.models.load_model(path, compile=False, safe_mode=why is None)
    except UsageError:
        raise
    except Exception as error:  # Keras raises whatever the file's content makes its layers raise.
        raise UsageError(f"{path} is no Keras model that can be loaded: {said(error)}", hint=HINT) from error
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        text = f"{path} does not say what its input is: no functional model, or a Sequential one that was not built"
        raise UsageError(text, hint="begin it with keras.Input, and save it again")
    return model


def _unsafe(description: Any) -> str | None:
    """What in a description is not Keras' own. Its own loss and metrics do not count: they are not made."""
    if isinstance(description, dict):
        description = {key: value for key, value in description.items() if key != "compile_config"}
    return next((problem for each in classes(description) for problem in _of_class(each)), None)


def _of_class(value: dict[str, Any]) -> Iterator[str]:
    """What of an object that is made by its class' name is not Keras' own."""
    name, module = value["class_name"], value.get("module")
    named = [None, name]
    if not isinstance(name, str):
        yield f"it has a layer of kind {name}"
    elif name == FUNCTION:
        called = value.get("config")
        named.append(called)
        if str(called) not in _functions() or module not in (None, BUILT_IN, *(place.__name__ for place in FUNCTIONS)):
            yield f"it calls {called}"
    elif name in UNSAFE or name in UNSAFE_OPERATIONS:
        yield f"it has a layer of kind {name}"
    elif name not in _known():
        yield f"{name} is none of Keras' own layers"
    if module is not None and name != FUNCTION and module != BUILT_IN and str(module).split(".")[0] != PACKAGE:
        yield f"it names the module {module}"
    if value.get("registered_name") not in named:
        yield f"it names {value['registered_name']}, which is none of Keras' own"


def _functions() -> frozenset[str]:
    return frozenset(name for place in FUNCTIONS for name, part in vars(place).items() if _is_own(part))


def _is_own(part: Any) -> bool:
    own = str(getattr(part, "__module__", "")).startswith("keras.")
    return own and callable(part) and getattr(part, "__name__", "") not in {"deserialize", "get", "serialize"}


def _known() -> frozenset[str]:
    """Layers, operations and what they are made with."""
    operations = {each.__name__ for each in _below(keras.Operation) if each.__module__.startswith("keras.")}
    public = {name for place in PLACES for name, part in vars(place).items() if isinstance(part, type)}
    return frozenset(operations | public) | VALUES


def _below(parent: Any) -> Iterator[Any]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)
