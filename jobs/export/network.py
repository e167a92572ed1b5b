"""A loaded Keras model as something with named inputs of fixed shapes: its SavedModel, and its own answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import UsageError
from common.keras_file import said


@dataclass(frozen=True)
class Network:
    """A model and the structure of its inputs, each a `keras.InputSpec` with its name and without an open side."""

    path: Path
    model: Any
    spec: Any

    @property
    def inputs(self) -> Sequence[Any]:
        """The inputs' specifications in Keras' order."""
        return list(keras.tree.flatten(self.spec))

    def save(self, folder: Path) -> None:
        """Write it as a SavedModel by Keras' own export. Raises UsageError with what Keras says."""
        try:
            self.model.export(str(folder), format="tf_saved_model", verbose=False, input_signature=[self.spec])
        except Exception as error:  # It runs every layer of a model that is somebody's.
            raise UsageError(f"{self.path} cannot be exported: {said(error)}", hint="does it predict?") from error

    def answers(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """Its outputs by the names that the export gives them, for one array per input."""
        given = keras.tree.pack_sequence_as(self.spec, [np.asarray(array) for array in inputs])
        found = self.model(given, training=False)
        if isinstance(found, dict):
            return {name: np.asarray(value) for name, value in found.items()}
        return {f"output_{place}": np.asarray(value) for place, value in enumerate(keras.tree.flatten(found))}


def network(path: Path, model: Any, shapes: Mapping[str, Sequence[int]]) -> Network:
    """A model with its shapes fixed: those of `shapes` by input name, else a batch of one and what the model says.

    An open side is computed when the file runs, and delegates leave what is computed so. Raises UsageError for a side
    that is open.
    """
    named = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return Network(path, model, keras.tree.map_structure(lambda port: _fixed(path, port, shapes), named))


def _fixed(path: Path, port: Any, shapes: Mapping[str, Sequence[int]]) -> Any:
    sides = tuple(port.shape)
    wanted = tuple(shapes.get(port.name, (sides[0] or 1, *sides[1:])))
    if len(wanted) != len(sides) or any(side not in (None, want) for side, want in zip(sides, wanted, strict=True)):
        raise UsageError(f"inputs.shape of {port.name} is {list(wanted)}, but {path} takes {_words(sides)}")
    if None in wanted:
        hint = f"choose one in the experiment, such as [inputs] shape = {{ {port.name} = [1, …] }}"
        raise UsageError(f"{path} leaves sides of its input {port.name} open: {_words(sides)}", hint=hint)
    return keras.InputSpec(shape=wanted, dtype=port.dtype, name=port.name)


def _words(sides: Sequence[int | None]) -> str:
    return "[" + ", ".join("any" if side is None else str(side) for side in sides) + "]"
