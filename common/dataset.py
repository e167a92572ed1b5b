"""Read a dataset artifact: the card and its arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.artifact import read, verified
from common.errors import UsageError
from common.schema.dataset import Dataset, SplitName

CARD = "dataset.json"
AGAIN = "delete the folder and run make again"


def read_card(folder: Path) -> Dataset:
    """The validated card of a dataset folder."""
    return read(folder / CARD, Dataset)


def read_split(folder: Path, card: Dataset, split: SplitName) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Images uint8 [n, height, width, 3] (memory-mapped, read-only) and labels int32 [n].

    Raises UsageError when an array is missing or was changed, or the dataset has no such split.
    """
    part = dict(card.splits).get(split)
    if part is None:
        raise UsageError(f"{folder} has no {split} images", hint="set data.test_share and make the dataset again")
    try:
        # Both mapped: a header may claim more than there is, and no memory is taken for that.
        images = np.load(verified(folder, part.images), mmap_mode="r")
        labels = np.load(verified(folder, part.labels), mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise UsageError(f"{folder}: the arrays of {split} are damaged: {error}", hint=AGAIN) from None
    expected = (part.count, card.height, card.width, 3), (part.count,)
    if (images.shape, labels.shape, images.dtype, labels.dtype) != (*expected, np.uint8, np.int32):
        raise UsageError(f"{folder}: the arrays of {split} are not of the size or type that {CARD} says", hint=AGAIN)
    return images, np.array(labels)
