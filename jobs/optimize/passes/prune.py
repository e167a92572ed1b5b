"""Magnitude pruning with tfmot: the smallest weights of each kernel become zero and stay so."""

from typing import Any

import tensorflow_model_optimization as tfmot

from common.schema.recipe import Prune
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner


def apply(model: Any, settings: Prune, tuner: FineTuner) -> tuple[Any, tuple[LayerNote, ...]]:
    """Prune every layer that tfmot prunes to a constant sparsity while fine-tuning."""
    sparsity = tfmot.sparsity.keras
    schedule = sparsity.ConstantSparsity(
        settings.sparsity, begin_step=settings.begin_step, frequency=settings.frequency
    )
    wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
    tuner.fit(wrapped, settings, [sparsity.UpdatePruningStep()])
    notes = tuple(_note(layer) for layer in wrapped.layers)
    return sparsity.strip_pruning(wrapped), notes


def _note(layer: Any) -> LayerNote:
    kernels = [kernel.name.split("/")[-1].split(":")[0] for kernel, _, _ in getattr(layer, "pruning_vars", [])]
    inner = getattr(layer, "layer", layer)
    if kernels:
        return LayerNote(layer=inner.name, action="pruned " + ", ".join(kernels))
    reason = "no weights" if not inner.weights else "tfmot prunes none of its weights"
    return LayerNote(layer=inner.name, action=f"left alone: {reason}")
