"""Read the samples that models without a data set are asked with."""

from pathlib import Path
from typing import Any

import numpy as np

from common.artifact import verified
from common.errors import UsageError
from common.schema.inputs import Samples

CARD = "inputs.json"
# What the arrays are called, before the number of the port.
INPUT, CALIBRATING = "input_", "calibration_"


def read_arrays(folder: Path, card: Samples) -> list[Any]:
    """The samples of each port [n, *shape], in their order. Raises UsageError when they are missing, changed or
    damaged."""
    arrays = _read(folder, card, INPUT)
    if any(array.shape != (card.count, *port.shape) for array, port in zip(arrays, card.ports, strict=True)):
        raise UsageError(f"{folder}: the samples are not of the size that {CARD} says", hint="run make again")
    return arrays


def read_calibrating(folder: Path, card: Samples) -> list[Any]:
    """What a static format is calibrated on, in the same way: the samples themselves, unless others stand beside
    them."""
    arrays = _read(folder, card, CALIBRATING)
    if not arrays:
        return read_arrays(folder, card)
    if any(array.shape != (len(arrays[0]), *port.shape) for array, port in zip(arrays, card.ports, strict=True)):
        raise UsageError(f"{folder}: the samples are not of the size that {CARD} says", hint="run make again")
    return arrays


def _read(folder: Path, card: Samples, name: str) -> list[Any]:
    """An array of that name for each port, or none at all."""
    try:
        with np.load(verified(folder, card.arrays), allow_pickle=False) as found:
            if name != INPUT and f"{name}0" not in found.files:
                return []
            return [found[f"{name}{place}"] for place in range(len(card.ports))]
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise UsageError(f"{folder}: the samples are damaged: {error}", hint="delete it and run make again") from None
