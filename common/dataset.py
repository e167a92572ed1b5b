"""Read a dataset artifact: the card and its arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.artifact import read, verified
from common.schema.dataset import Dataset, SplitName

CARD = "dataset.json"


def read_card(folder: Path) -> Dataset:
    """The validated card of a dataset folder."""
    return read(folder / CARD, Dataset)


def read_split(folder: Path, card: Dataset, split: SplitName) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Images uint8 [n, height, width, 3] (memory-mapped, read-only) and labels int32 [n].

    Raises UsageError when an array is missing or was changed.
    """
    part = card.train if split == "train" else card.validation
    images: npt.NDArray[np.uint8] = np.load(verified(folder, part.images), mmap_mode="r")
    labels: npt.NDArray[np.int32] = np.load(verified(folder, part.labels))
    return images, labels
