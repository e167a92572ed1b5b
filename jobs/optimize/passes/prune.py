"""Magnitude pruning with tfmot: the smallest weights of each kernel become zero and stay so."""

from typing import Any

import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.sparsity.keras.prune_registry import PruneRegistry

from common.errors import UsageError
from common.schema.recipe import Prune
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.layers import chosen, exchange, leaves, require_known
from jobs.optimize.pass_result import Expectation, PassResult, expect

# Of the fine-tuning; the rest of it lets the network recover at its final sparsity.
RAMP = 0.75
# A share of the weights. All that equal the threshold stay, of which large kernels have a few.
TIES = 1e-4


def apply(model: Any, settings: Prune, tuner: FineTuner) -> PassResult:
    """Prune every layer that tfmot prunes, while fine-tuning."""
    require_known(settings.layers, model, "prune")
    steps = tuner.steps_per_epoch * settings.epochs
    wrapped = exchange(model, lambda layer: _wrapped(layer, settings, steps))
    tuner.fit(wrapped, settings, [tfmot.sparsity.keras.UpdatePruningStep()])
    layers = list(leaves(wrapped))
    notes = tuple(_note(layer, settings) for layer in layers)
    expected = tuple(made for layer in layers for made in _expected(layer, settings))
    return PassResult(tfmot.sparsity.keras.strip_pruning(wrapped), notes, expected)


def schedule(settings: Prune, sparsity: float, steps: int) -> Any:
    """tfmot's schedule for a fine-tuning of `steps` steps. Raises UsageError when it has no room."""
    schedules = tfmot.sparsity.keras
    if settings.schedule == "constant":
        return schedules.ConstantSparsity(sparsity, begin_step=settings.begin_step, frequency=settings.frequency)
    updates = int(RAMP * (steps - settings.begin_step)) // settings.frequency
    end = settings.end_step or settings.begin_step + updates * settings.frequency
    if not settings.begin_step < end < steps:
        message = f"prune: the schedule would end at step {end}, and the fine-tuning has {steps} steps"
        raise UsageError(message, hint="more epochs, a smaller frequency or an earlier end_step")
    return schedules.PolynomialDecay(
        settings.initial_sparsity, sparsity, settings.begin_step, end, frequency=settings.frequency
    )


def _wrapped(layer: Any, settings: Prune, steps: int) -> Any:
    sparsity = chosen(settings.layers, layer.name, settings.sparsity)
    if not sparsity or not _kernels(layer) or _ungrouped(layer, settings):
        return layer
    return tfmot.sparsity.keras.prune_low_magnitude(
        layer,
        pruning_schedule=schedule(settings, sparsity, steps),
        block_size=_block(layer, settings),
        sparsity_m_by_n=settings.m_by_n,
    )


def _kernels(layer: Any) -> list[str]:
    # Only the registry knows which weights of a layer tfmot prunes; its reader of them is private.
    return list(PruneRegistry._weight_names(layer)) if PruneRegistry.supports(layer) else []


def _block(layer: Any, settings: Prune) -> tuple[int, int]:
    # tfmot refuses blocks for kernels of more than two dimensions.
    return settings.block if isinstance(layer, tf_keras.layers.Dense) else (1, 1)


def _ungrouped(layer: Any, settings: Prune) -> bool:
    return settings.m_by_n is not None and bool(layer.input_shape[-1] % settings.m_by_n[1])


def _expected(layer: Any, settings: Prune) -> list[Expectation]:
    if not _is_wrapped(layer):
        return []
    name, kernels = layer.layer.name, [kernel for kernel, _, _ in layer.pruning_vars]
    sparsity = chosen(settings.layers, name, settings.sparsity)
    rounding = settings.block[0] * settings.block[1] if _block(layer.layer, settings) != (1, 1) else 1
    made = [
        # tfmot rounds the number of weights, or blocks, that it keeps.
        expect(name, "sparsity", kernel, sparsity - max(rounding / int(kernel.shape.num_elements()), TIES))
        for kernel in kernels
    ]
    if settings.m_by_n is not None:
        zeros, group = settings.m_by_n
        made += [expect(name, "groups", kernel, sparsity, zeros=zeros, group=group) for kernel in kernels]
    return made


def _is_wrapped(layer: Any) -> bool:
    return hasattr(layer, "pruning_vars")


def _note(layer: Any, settings: Prune) -> LayerNote:
    if _is_wrapped(layer):
        kernels = ", ".join(kernel.name.split("/")[-1].split(":")[0] for kernel, _, _ in layer.pruning_vars)
        single = settings.block != (1, 1) and _block(layer.layer, settings) == (1, 1)
        return LayerNote(
            layer=layer.layer.name, action=f"pruned {kernels}" + (", weight by weight: not a matrix" if single else "")
        )
    return LayerNote(layer=layer.name, action=f"left alone: {_reason(layer, settings)}")


def _reason(layer: Any, settings: Prune) -> str:
    if not layer.weights:
        return "no weights"
    if not _kernels(layer):
        return "tfmot prunes none of its weights"
    if _ungrouped(layer, settings):
        return f"{layer.input_shape[-1]} input channels cannot be grouped evenly"
    return "as the recipe says"
