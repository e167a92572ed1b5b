"""Whether a network can go through a recipe: what can be told before anything is trained."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from common.errors import EdgeproofError, UsageError
from common.networks.flat import leaves
from common.schema.recipe import Cluster, Distill, Factorize, FoldBatchNorm, MergeSeparable, Prune, Recipe

Setting = TypeVar("Setting")
# What a pass says of a layer that the recipe does not name for it.
LEFT = "left alone: as the recipe says"
# What `factorize` calls the two layers that take a layer's place.
THIN, WIDE = "_u", "_v"


def require_fits(recipe: Recipe, network: Any, student: Any | None, steps: int) -> None:
    """Raise UsageError or EdgeproofError where a pass of `recipe` asks for what is not there: layers by name, or room
    for its schedule.

    `steps` is the number of optimiser steps in an epoch, `student` the network of a distillation.
    """
    names = _names(network)
    for settings in recipe.passes:
        match settings:
            case Distill():
                require_smaller(student, network, settings)
                names = _names(student)
            case Prune():
                require_known(settings.layers, names, settings.name)
                require_room(settings, steps * settings.epochs)
            case Cluster():
                require_known(settings.layers, names, settings.name)
            case MergeSeparable() | FoldBatchNorm():
                require_known(settings.layers, names, settings.name)
            case Factorize():
                require_known((*settings.layers, *settings.ranks), names, settings.name)
                names |= {name + end: True for name, weighs in names.items() if weighs for end in (THIN, WIDE)}
    require_known(recipe.convert.layers, names, "convert")


def require_room(settings: Prune, steps: int) -> None:
    """Raise UsageError where a fine-tuning of `steps` steps is too short for the schedule."""
    if (reason := settings.refusal(steps)) is not None:
        hint = "more epochs, a smaller frequency or begin_step, or an earlier end_step"
        raise UsageError(f"{settings.name}: {reason}", hint=hint)


def require_smaller(student: Any, teacher: Any, settings: Distill) -> None:
    """Raise EdgeproofError where the student has no fewer parameters than its teacher."""
    before, after = teacher.count_params(), student.count_params()
    if after >= before:
        message = f"the student {settings.network.architecture} has {after:,} parameters, its teacher only {before:,}"
        raise EdgeproofError(message, hint="give the pass distill a smaller width or another student")


def in_place_of(layers: Collection[str]) -> dict[str, str]:
    """The layers that `factorize` put in another's place, with the name of that one."""
    thin = (name.removesuffix(THIN) for name in layers if name.endswith(THIN))
    pairs = [name for name in thin if name + WIDE in layers and name not in layers]
    return {name + end: name for name in pairs for end in (THIN, WIDE)}


def chosen(patterns: Mapping[str, Setting], name: str, otherwise: Setting) -> Setting:
    """The setting of the first pattern that matches a layer's name, in the experiment file's order."""
    return next((value for pattern, value in patterns.items() if fnmatchcase(name, pattern)), otherwise)


def named(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns matches a layer's name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def require_layers(patterns: Iterable[str], model: Any, pass_name: str) -> None:
    """Raise UsageError naming a pattern that matches no layer of the model."""
    require_known(patterns, _names(model), pass_name)


def require_known(patterns: Iterable[str], names: Mapping[str, bool], pass_name: str) -> None:
    """The same for the `names` of layers, true where one has weights."""
    for pattern in patterns:
        if not _matches(pattern, names):
            hint = f"layers with weights: {', '.join(name for name, weighs in names.items() if weighs)}"
            raise UsageError(f"{pass_name}: no layer is named like '{pattern}'", hint=hint)


def _matches(pattern: str, names: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _names(model: Any) -> dict[str, bool]:
    return {layer.name: bool(layer.weights) for layer in leaves(model)}
