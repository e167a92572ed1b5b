"""Passes by name. A pass takes a model that is its own copy and returns a plain Keras model."""

from collections.abc import Callable
from typing import Any

from common.schema.recipe import Pass
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.passes import cluster, prune

Apply = Callable[[Any, Any, FineTuner], tuple[Any, tuple[LayerNote, ...]]]
PASSES: dict[str, Apply] = {"prune": prune.apply, "cluster": cluster.apply}


def apply(model: Any, settings: Pass, tuner: FineTuner) -> tuple[Any, tuple[LayerNote, ...]]:
    """Run one pass; the notes say for every layer what was done or why not."""
    return PASSES[settings.name](model, settings, tuner)
