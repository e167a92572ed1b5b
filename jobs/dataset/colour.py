"""How far colour alone gets: logistic regression on colour histograms."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from common.proportion import wilson
from common.schema.base import Proportion
from jobs.dataset.images import Pixels

# 8 x 8 x 8 RGB bins: fine enough to tell a flame's yellow from a sun's, if they differ.
BINS = 8
# Weak regularisation, because the baseline should be as good as colour can make it.
INVERSE_REGULARISATION = 100.0
MAX_ITERATIONS = 2000


def histograms(images: Pixels) -> npt.NDArray[np.float64]:
    """Square roots of the shares of pixels per colour bin, float64 [n, bins**3], of images
    uint8 [n, height, width, 3]."""
    rows = np.empty((len(images), BINS**3))
    for row, image in enumerate(images):
        cells = (image // (256 // BINS)).astype(np.intp)
        bins = (cells[..., 0] * BINS + cells[..., 1]) * BINS + cells[..., 2]
        rows[row] = np.bincount(bins.ravel(), minlength=BINS**3) / bins.size
    return np.sqrt(rows)


def colour_baseline(
    train_images: Pixels,
    train_labels: npt.NDArray[np.int32],
    other_images: Pixels,
    other_labels: npt.NDArray[np.int32],
) -> Proportion:
    """Accuracy on the other images of the regression fitted on the training images (at least two classes)."""
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=MAX_ITERATIONS)
    model.fit(histograms(train_images), train_labels)
    right = model.predict(histograms(other_images)) == other_labels
    return wilson(int(right.sum()), len(right))
