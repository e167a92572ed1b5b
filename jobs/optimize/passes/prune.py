"""Magnitude pruning with tfmot: the smallest weights of each kernel become zero and stay so."""

from typing import Any

import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.sparsity.keras.prune_registry import PruneRegistry

from common.networks.flat import leaves
from common.networks.recipes import chosen, require_layers, require_room
from common.schema.recipe import Prune
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.kernels import channels, kernel, kernel_names, why_none
from jobs.optimize.layers import exchange
from jobs.optimize.pass_result import Expectation, PassResult, expect

L = tf_keras.layers
# A share of the weights. All that equal the threshold stay, of which large kernels have a few.
TIES = 1e-4
# Kernels whose last axis but one is that of their input channels, as tfmot has it for its groups of them.
GROUPED = (L.Dense, L.Conv2D, L.SeparableConv2D)


def apply(model: Any, settings: Prune, tuner: FineTuner) -> PassResult:
    """Prune every layer that tfmot prunes, while fine-tuning."""
    require_layers(settings.layers, model, "prune")
    steps = tuner.steps_per_epoch * settings.epochs
    require_room(settings, steps)
    wrapped = exchange(model, lambda layer: _wrapped(layer, settings, steps))
    tuner.fit(wrapped, settings, [tfmot.sparsity.keras.UpdatePruningStep()])
    if not tuner.trains:
        _mask_at_once(wrapped, settings, steps)
    layers = list(leaves(wrapped))
    notes = tuple(_note(layer, settings) for layer in layers)
    expected = tuple(made for layer in layers for made in _expected(layer, settings))
    return PassResult(tfmot.sparsity.keras.strip_pruning(wrapped), notes, expected)


def schedule(settings: Prune, sparsity: float, steps: int) -> Any:
    """tfmot's schedule for a fine-tuning of `steps` steps, which has room for it."""
    schedules = tfmot.sparsity.keras
    if settings.schedule == "constant":
        return schedules.ConstantSparsity(sparsity, begin_step=settings.begin_step, frequency=settings.frequency)
    begin, end = settings.begin_step, settings.end(steps)
    return schedules.PolynomialDecay(settings.initial_sparsity, sparsity, begin, end, frequency=settings.frequency)


def _wrapped(layer: Any, settings: Prune, steps: int) -> Any:
    sparsity = chosen(settings.layers, layer.name, settings.sparsity)
    if not sparsity or not _kernels(layer) or _ungrouped(layer, settings) is not None:
        return layer
    # What is pruned has to recover, also where the network's own training left it as it was.
    layer.trainable = True
    return tfmot.sparsity.keras.prune_low_magnitude(
        layer,
        pruning_schedule=schedule(settings, sparsity, steps),
        block_size=_block(layer, settings),
        sparsity_m_by_n=settings.m_by_n,
    )


def _mask_at_once(wrapped: Any, settings: Prune, steps: int) -> None:
    """The zeros that the schedule ends with, without a step of training."""
    last = settings.begin_step if settings.schedule == "constant" else settings.end(steps)
    # Groups get their masks at the first step, whatever the schedule says.
    last = last if settings.m_by_n is None else 1
    for layer in filter(_is_wrapped, leaves(wrapped)):
        layer.pruning_step.assign(last)
        layer.pruning_obj.conditional_mask_update()
        layer.pruning_obj.weight_mask_op()


def _kernels(layer: Any) -> list[str]:
    return kernel_names(layer, PruneRegistry)


def _block(layer: Any, settings: Prune) -> tuple[int, int]:
    # tfmot refuses blocks for kernels of more than two dimensions.
    return settings.block if isinstance(layer, tf_keras.layers.Dense) else (1, 1)


def _ungrouped(layer: Any, settings: Prune) -> str | None:
    """Why the input channels of a layer cannot be pruned in groups; None where they can, or need not."""
    if settings.m_by_n is None:
        return None
    if type(layer) not in GROUPED:
        return f"m_by_n is not for the kernels of a {type(layer).__name__}"
    given = kernel(layer, _kernels(layer)[0]).shape[-2]
    return f"{given} input channels cannot be grouped evenly" if given % settings.m_by_n[1] else None


def _expected(layer: Any, settings: Prune) -> list[Expectation]:
    if not _is_wrapped(layer):
        return []
    name = layer.layer.name
    kernels = [(kernel(layer.layer, own), channels(layer.layer, own)) for own in _kernels(layer.layer)]
    sparsity = chosen(settings.layers, name, settings.sparsity)
    rounding = settings.block[0] * settings.block[1] if _block(layer.layer, settings) != (1, 1) else 1
    made = [
        # tfmot rounds the number of weights, or blocks, that it keeps.
        expect(name, "sparsity", own, sparsity - max(rounding / int(own.shape.num_elements()), TIES), channels=count)
        for own, count in kernels
    ]
    if settings.m_by_n is not None:
        zeros, group = settings.m_by_n
        made += [expect(name, "groups", own, sparsity, zeros=zeros, group=group) for own, _ in kernels]
    return made


def _is_wrapped(layer: Any) -> bool:
    return hasattr(layer, "pruning_vars")


def _note(layer: Any, settings: Prune) -> LayerNote:
    if _is_wrapped(layer):
        kernels = ", ".join(name.removeprefix("_") for name in _kernels(layer.layer))
        single = settings.block != (1, 1) and _block(layer.layer, settings) == (1, 1)
        return LayerNote(
            layer=layer.layer.name, action=f"pruned {kernels}" + (", weight by weight: not a matrix" if single else "")
        )
    return LayerNote(layer=layer.name, action=f"left alone: {_reason(layer, settings)}", changed=False)


def _reason(layer: Any, settings: Prune) -> str:
    if not layer.weights:
        return "no weights"
    if not _kernels(layer):
        return why_none(layer, PruneRegistry, "prunes")
    return _ungrouped(layer, settings) or "as the recipe says"
