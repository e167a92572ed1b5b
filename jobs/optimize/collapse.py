"""Whether a recipe cost the network what it had learned. Pure: labels and answers to a promise."""

import numpy as np
import numpy.typing as npt

from common.schema.variant import Promise, Validation

# Of the lead over always giving the most frequent answer. Whoever loses more has a broken model in hand,
# whatever they wanted; smaller losses are for the evaluation to weigh.
LOST = 0.5
# Of exact McNemar, one-sided: few images must not make a collapse out of chance.
SIGNIFICANT = 0.01


def accuracy_kept(
    labels: npt.NDArray[np.int32], before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]
) -> Promise:
    """The promise that a file still classifies, from the outputs float32 [n, classes] of the trained network and
    of the file for images of `labels` int32 [n]."""
    right, still = (np.argmax(outputs, axis=1) == labels for outputs in (before, after))
    guessed = np.bincount(labels).max() / len(labels)
    lead = max(right.mean() - guessed, 0.0)
    least = right.mean() - LOST * lead
    collapsed = lead > 0 and still.mean() < least and _significant(right, still)
    return Promise(
        claim="accuracy",
        subject="the validation images",
        expected=f">= {least:.3f} (the trained network has {right.mean():.3f})",
        observed=f"{still.mean():.3f}",
        kept=bool(np.isfinite(after).all()) and not collapsed,
    )


def validated(
    labels: npt.NDArray[np.int32], before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]
) -> Validation:
    """The same answers as counts."""
    right, still = (np.argmax(outputs, axis=1) == labels for outputs in (before, after))
    lost, won = int(np.sum(right & ~still)), int(np.sum(still & ~right))
    return Validation(images=len(labels), right=int(right.sum()), lost=lost, won=won)


def _significant(right: npt.NDArray[np.bool_], still: npt.NDArray[np.bool_]) -> bool:
    from scipy.stats import binomtest  # Half a second, and hardly a recipe needs it.

    lost, won = int(np.sum(right & ~still)), int(np.sum(still & ~right))
    return bool(binomtest(lost, lost + won, alternative="greater").pvalue < SIGNIFICANT)
