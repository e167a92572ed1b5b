"""Passes by name. A pass takes a model that is its own copy and returns a plain Keras model."""

from typing import Any

from common.schema.recipe import Cluster, Distill, FoldBatchNorm, MergeSeparable, Pass, Prune
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.passes import cluster, distill, fold_batch_norm, merge_separable, prune


def apply(model: Any, settings: Pass, tuner: FineTuner) -> tuple[Any, tuple[LayerNote, ...]]:
    """Run one pass; the notes say for every layer what was done or why not."""
    match settings:
        case Prune():
            return prune.apply(model, settings, tuner)
        case Cluster():
            return cluster.apply(model, settings, tuner)
        case Distill():
            return distill.apply(model, settings, tuner)
        case FoldBatchNorm():
            return fold_batch_norm.apply(model)
        case MergeSeparable():
            return merge_separable.apply(model, settings)
