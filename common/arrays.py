"""Arrays that an artifact names, mapped: a header may claim more than there is, and no memory is taken for that."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.artifact import MOST_FILE_BYTES, verified
from common.errors import UsageError
from common.schema.base import FileRef

AGAIN = "delete the folder and run make again"


def load(folder: Path, ref: FileRef, dtype: type, shape: tuple[int, ...], most_bytes: int = MOST_FILE_BYTES) -> Any:
    """The array in a file of `folder`, memory-mapped and read-only.

    Raises UsageError when it is missing, was changed, is none, or not of this type and shape.
    """
    path = verified(folder, ref, most_bytes)
    try:
        # An archive of arrays, which `load` takes too, is none.
        with np.errstate(over="ignore"):
            array: npt.NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, TypeError, EOFError, OverflowError, OSError) as error:
        raise UsageError(f"{path}: the array is damaged: {error}", hint=AGAIN) from None
    if (array.shape, array.dtype) != (shape, np.dtype(dtype)):
        found, wanted = f"{array.dtype} of shape {array.shape}", f"{np.dtype(dtype)} of shape {shape}"
        raise UsageError(f"{path} holds {found}, but its artifact speaks of {wanted}", hint=AGAIN)
    return array
