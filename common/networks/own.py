"""The user's own network: a saved Keras model, or a Python file with `build(input_shape, classes)`.

A Python file is run, and a saved model may hold code as well: only where that can reach nothing, or where the user
says that it is trusted.
"""

import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import tf_keras

from common.errors import UsageError
from common.keras_file import said
from common.networks.saved import load_saved
from common.schema.network import CODE_SUFFIX
from common.trust import require_trust

FUNCTION = "build"


def from_file(path: Path, input_shape: tuple[int, int, int], classes: int) -> Any:
    """The model of a file, not yet checked. Raises UsageError naming the file and what its code raised."""
    model = _built(path, input_shape, classes) if path.suffix == CODE_SUFFIX else load_saved(path)
    if isinstance(model, tf_keras.Sequential) and not model.built:
        _give_input(model, path, input_shape)
    return model


def _give_input(model: Any, path: Path, input_shape: tuple[int, int, int]) -> None:
    """What a Sequential that was written without an Input, as is common, lacks."""
    try:
        model.build((None, *input_shape))
    except Exception as error:  # Keras raises whatever its layers raise.
        shape = " x ".join(map(str, input_shape))
        raise UsageError(f"{path} does not take the images' {shape}: {said(error)}") from error


def _built(path: Path, input_shape: tuple[int, int, int], classes: int) -> Any:
    require_trust(path, "it is a Python program")
    module = ModuleType(path.stem)
    try:
        # An import would leave its cache in the user's folder, which is read-only in a container.
        exec(compile(path.read_bytes(), path, "exec"), vars(module))  # noqa: S102
        build = getattr(module, FUNCTION, None)
        if callable(build):
            return build(input_shape, classes)
    except (Exception, SystemExit) as error:  # It is the user's code: anything may come out of it.
        raise UsageError(f"{path}{_line(error, path)}: {said(error)}") from error
    raise UsageError(f"{path} has no function {FUNCTION}(input_shape, classes)", hint="define one that returns a model")


def _line(error: BaseException, path: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
