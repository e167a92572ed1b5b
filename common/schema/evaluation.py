"""`evaluation.json`: how well one variant classifies the images that it did not learn from.

Version history: 1 first; 2 adds the paired counts of every class. 3 adds `split`. Versions 1
and 2, which knew validation images only, are still read. A variant without labels has `common.schema.answers` instead.
"""

from typing import Literal

from common.schema.base import Count, FileRef, Model, Proportion, Share
from common.schema.dataset import Reported
from common.schema.provenance import Artifact


class McNemar(Model):
    """Exact two-sided McNemar test against `reference` on the same images."""

    reference: str
    only_reference_right: Count
    only_variant_right: Count
    p_value: Share


class ClassScore(Model):
    """Scores of one class against the rest. None where the figure is undefined (no such prediction). `mcnemar`
    compares the answers to its images, None for the reference."""

    name: str
    support: Count
    precision: Share | None
    recall: Share | None
    f1: Share | None
    mcnemar: McNemar | None = None


class KerasAgreement(Model):
    """How the file's outputs compare with those of the Keras model it was converted from."""

    top1: Proportion
    max_abs_difference: float


class Evaluation(Artifact):
    """`split` says whose images these are: of "validation" images the epoch of the training was chosen on
    the same ones. `outputs` holds the variant's outputs for them, float32 [n, classes], dequantised.

    `confusion[i][j]` counts images of class i that were taken for class j. `roc_auc` is macro
    one-vs-rest above two classes, None where a class is missing. `mcnemar` is None for the reference, `keras` for a
    file that no Keras model was converted to.
    """

    schema_version: Literal[1, 2, 3] = 3
    split: Reported = "validation"
    variant: str
    model_sha256: str
    classes: tuple[str, ...]
    count: Count
    accuracy: Proportion
    per_class: tuple[ClassScore, ...]
    roc_auc: Share | None
    confusion: tuple[tuple[Count, ...], ...]
    keras: KerasAgreement | None
    mcnemar: McNemar | None
    outputs: FileRef
