"""Passes by name. A pass takes a model that is its own copy and returns a plain Keras model."""

from typing import Any

from common.schema.recipe import Cluster, Distill, Factorize, FoldBatchNorm, MergeSeparable, Pass, Prune, QuantizeAware
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.pass_result import PassResult
from jobs.optimize.passes import (
    cluster,
    distill,
    factorize,
    fold_batch_norm,
    merge_separable,
    prune,
    quantize_aware,
)


def apply(model: Any, settings: Pass, tuner: FineTuner) -> PassResult:
    """Run one pass; the notes say for every layer what was done or why not."""
    match settings:
        case Prune():
            return prune.apply(model, settings, tuner)
        case Cluster():
            return cluster.apply(model, settings, tuner)
        case QuantizeAware():
            return quantize_aware.apply(model, settings, tuner)
        case Factorize():
            return factorize.apply(model, settings, tuner)
        case Distill():
            return distill.apply(model, settings, tuner)
        case FoldBatchNorm():
            return fold_batch_norm.apply(model)
        case MergeSeparable():
            return merge_separable.apply(model, settings)
