"""Figures of a classifier from its outputs. Pure: arrays in, models out."""

import numpy as np
import numpy.typing as npt

from common.proportion import wilson
from common.run.keeping import sign_test
from common.schema.base import Proportion
from common.schema.evaluation import ClassScore, KerasAgreement, McNemar

Outputs = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


def accuracy(outputs: Outputs, labels: Labels) -> Proportion:
    """Share of images whose largest output is their label's."""
    return wilson(int((outputs.argmax(axis=1) == labels).sum()), len(labels))


def confusion(outputs: Outputs, labels: Labels) -> tuple[tuple[int, ...], ...]:
    """`[i][j]`: images of class i taken for class j."""
    classes = outputs.shape[1]
    counts = np.bincount(labels * classes + outputs.argmax(axis=1), minlength=classes**2)
    return tuple(tuple(int(count) for count in row) for row in counts.reshape(classes, classes))


def class_scores(
    matrix: tuple[tuple[int, ...], ...], names: tuple[str, ...], compared: tuple[McNemar, ...] = ()
) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of every class against the rest; `compared` holds a test for each class, or nothing."""
    counts = np.array(matrix)
    hits, taken, there = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    return tuple(
        ClassScore(
            name=name,
            support=int(there[i]),
            precision=_share(hits[i], taken[i]),
            recall=_share(hits[i], there[i]),
            f1=_share(2 * hits[i], taken[i] + there[i]),
            mcnemar=compared[i] if compared else None,
        )
        for i, name in enumerate(names)
    )


def roc_auc(outputs: Outputs, labels: Labels) -> float | None:
    """Area under the ROC curve: of class 1 for two classes, macro one-vs-rest above."""
    classes = outputs.shape[1]
    if len(np.unique(labels)) < classes or not np.isfinite(outputs).all():
        return None
    if classes == 2:  # noqa: PLR2004
        return _area(labels == 1, outputs[:, 1])
    return float(np.mean([_area(labels == label, outputs[:, label]) for label in range(classes)]))


def _area(positive: npt.NDArray[np.bool_], scores: Outputs) -> float:
    """The chance that a positive scores higher than a negative, ties by half (Mann and Whitney 1947)."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # The mean rank of each value, from 1 on.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    hits, misses = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def keras_agreement(outputs: Outputs, keras: Outputs) -> KerasAgreement:
    """Same top class as the Keras model, and the largest difference of any output."""
    same = int((outputs.argmax(axis=1) == keras.argmax(axis=1)).sum())
    return KerasAgreement(top1=wilson(same, len(outputs)), max_abs_difference=float(np.abs(outputs - keras).max()))


def mcnemar(outputs: Outputs, reference: Outputs, labels: Labels, name: str) -> McNemar:
    """Exact two-sided McNemar test: a binomial test on the images that only one of two gets right."""
    right, reference_right = outputs.argmax(axis=1) == labels, reference.argmax(axis=1) == labels
    only_variant = int((right & ~reference_right).sum())
    only_reference = int((reference_right & ~right).sum())
    discordant = only_variant + only_reference
    p_value = sign_test(min(only_variant, only_reference), discordant)
    return McNemar(
        reference=name,
        only_reference_right=only_reference,
        only_variant_right=only_variant,
        p_value=min(1.0, p_value),
    )


def class_mcnemar(outputs: Outputs, reference: Outputs, labels: Labels, name: str) -> tuple[McNemar, ...]:
    """The same on the images of each class, in order."""
    own = (labels == label for label in range(outputs.shape[1]))
    return tuple(mcnemar(outputs[chosen], reference[chosen], labels[chosen], name) for chosen in own)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
