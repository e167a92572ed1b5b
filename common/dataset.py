"""Read a dataset artifact: the card and its arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.arrays import load
from common.artifact import MOST_FILE_BYTES, read
from common.errors import UsageError
from common.schema.dataset import Dataset, Split, SplitName

CARD = "dataset.json"


def read_card(folder: Path) -> Dataset:
    """The validated card of a dataset folder."""
    return read(folder / CARD, Dataset)


def read_split(folder: Path, card: Dataset, split: SplitName) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Images uint8 [n, height, width, 3] (memory-mapped, read-only) and labels int32 [n].

    Raises UsageError when an array is missing or was changed, or the dataset has no such split.
    """
    part = _part(folder, card, split)
    most_bytes = part.count * card.height * card.width * 3 + MOST_FILE_BYTES
    images = load(folder, part.images, np.uint8, (part.count, card.height, card.width, 3), most_bytes)
    return images, read_labels(folder, card, split)


def read_labels(folder: Path, card: Dataset, split: SplitName) -> npt.NDArray[np.int32]:
    """The labels [n] alone. Raises UsageError as `read_split` does."""
    part = _part(folder, card, split)
    return np.array(load(folder, part.labels, np.int32, (part.count,)))


def _part(folder: Path, card: Dataset, split: SplitName) -> Split:
    part = dict(card.splits).get(split)
    if part is None:
        raise UsageError(f"{folder} has no {split} images", hint="set data.test_share and make the dataset again")
    return part
