"""The order in which training images are visited, and the batches themselves, without TensorFlow."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Batches:
    """Shuffled batches of a split. The order of an epoch depends on the seed and the epoch alone,
    so that training that was interrupted goes on as if it had not been.

    `images` uint8 [n, height, width, 3], `labels` int32 [n].
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]
    batch_size: int
    seed: int

    @property
    def steps(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return -(-len(self.labels) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]]:
        """Every image once: uint8 [batch, height, width, 3] and int32 [batch]."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.labels))
        for start in range(0, len(order), self.batch_size):
            # Sorted rows read a memory-mapped file forwards; the batch holds the same images.
            rows = np.sort(order[start : start + self.batch_size])
            yield np.asarray(self.images[rows]), self.labels[rows]


def even_rows(images: int, most: int) -> npt.NDArray[np.int64]:
    """Rows of an even choice of at most `most` of so many images: a split is not ordered by class."""
    return np.unique(np.linspace(0, images - 1, min(most, images)).astype(np.int64))


def class_weights(per_class: tuple[int, ...]) -> dict[int, float]:
    """n / (classes x count) by class, so that every class weighs the same in the loss."""
    total = sum(per_class)
    return {label: total / (len(per_class) * count) for label, count in enumerate(per_class)}
