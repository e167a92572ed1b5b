"""Read the samples that models without a data set are asked with."""

from pathlib import Path
from typing import Any

import numpy as np

from common.artifact import verified
from common.errors import UsageError
from common.schema.inputs import Samples

CARD = "inputs.json"


def read_arrays(folder: Path, card: Samples) -> list[Any]:
    """The samples of each port [n, *shape], in their order. Raises UsageError when they are missing, changed or
    damaged."""
    try:
        with np.load(verified(folder, card.arrays), allow_pickle=False) as found:
            arrays = [found[f"input_{place}"] for place in range(len(card.ports))]
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise UsageError(f"{folder}: the samples are damaged: {error}", hint="delete it and run make again") from None
    if any(array.shape != (card.count, *port.shape) for array, port in zip(arrays, card.ports, strict=True)):
        raise UsageError(f"{folder}: the samples are not of the size that {CARD} says", hint="run make again")
    return arrays
