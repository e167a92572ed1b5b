"""The user's own network: a saved Keras model, or a Python file with `build(input_shape, classes)`.

A Python file is run, and a saved model may hold code as well: both are as trusted as the user who names them.
"""

import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import tf_keras

from common.errors import UsageError
from common.schema.network import CODE_SUFFIX

FUNCTION = "build"
SAVE_HINT = "save it with tf_keras (Keras 2), made of Keras' own layers only"


def from_file(path: Path, input_shape: tuple[int, int, int], classes: int) -> Any:
    """The model of a file, not yet checked. Raises UsageError naming the file and what its code raised."""
    model = _built(path, input_shape, classes) if path.suffix == CODE_SUFFIX else _loaded(path)
    if isinstance(model, tf_keras.Sequential) and not model.built:
        _give_input(model, path, input_shape)
    return model


def _give_input(model: Any, path: Path, input_shape: tuple[int, int, int]) -> None:
    """What a Sequential that was written without an Input, as is common, lacks."""
    try:
        model.build((None, *input_shape))
    except Exception as error:  # Keras raises whatever its layers raise.
        shape = " x ".join(map(str, input_shape))
        raise UsageError(f"{path} does not take the images' {shape}: {_said(error)}") from error


def _loaded(path: Path) -> Any:
    try:
        return tf_keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the file's content makes its layers raise.
        raise UsageError(f"{path} is no Keras model that can be loaded: {_said(error)}", hint=SAVE_HINT) from error


def _built(path: Path, input_shape: tuple[int, int, int], classes: int) -> Any:
    module = ModuleType(path.stem)
    try:
        # An import would leave its cache in the user's folder, which is read-only in a container.
        exec(compile(path.read_bytes(), path, "exec"), vars(module))  # noqa: S102
        build = getattr(module, FUNCTION, None)
        if callable(build):
            return build(input_shape, classes)
    except (Exception, SystemExit) as error:  # It is the user's code: anything may come out of it.
        raise UsageError(f"{path}{_line(error, path)}: {_said(error)}") from error
    raise UsageError(f"{path} has no function {FUNCTION}(input_shape, classes)", hint="define one that returns a model")


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def _line(error: BaseException, path: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
