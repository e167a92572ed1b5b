"""Passes by name. A pass takes a model that is its own copy and returns a plain Keras model.

A pass is imported when it is asked for: some bring along tfmot.
"""

from typing import Any

from common.quiet_import import without
from common.schema.recipe import Cluster, Distill, Factorize, FoldBatchNorm, MergeSeparable, Pass, Prune, QuantizeAware
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.pass_result import PassResult

# tfmot looks into Keras 3, which takes longer to load than tfmot, and then takes nothing from it.
UNUSED = ("keras",)


def apply(model: Any, settings: Pass, tuner: FineTuner) -> PassResult:
    """Run one pass; the notes say for every layer what was done or why not."""
    match settings:
        case Prune():
            with without(*UNUSED):
                from jobs.optimize.passes import prune

            return prune.apply(model, settings, tuner)
        case Cluster():
            with without(*UNUSED):
                from jobs.optimize.passes import cluster

            return cluster.apply(model, settings, tuner)
        case QuantizeAware():
            with without(*UNUSED):
                from jobs.optimize.passes import quantize_aware

            return quantize_aware.apply(model, settings, tuner)
        case Factorize():
            from jobs.optimize.passes import factorize

            return factorize.apply(model, settings, tuner)
        case Distill():
            from jobs.optimize.passes import distill

            return distill.apply(model, settings, tuner)
        case FoldBatchNorm():
            from jobs.optimize.passes import fold_batch_norm

            return fold_batch_norm.apply(model, settings)
        case MergeSeparable():
            from jobs.optimize.passes import merge_separable

            return merge_separable.apply(model, settings)
