"""The ports of a variant, as callers name them. Pure."""

from collections.abc import Mapping, Sequence

from common.errors import EdgeproofError, UsageError
from common.numbers import count
from common.schema.inputs import SampledPort
from common.schema.tflite import Port
from common.schema.variant import Variant

COLOURS, IMAGE_SIDES = (3,), 4


def input_names(variant: Variant) -> tuple[str, ...]:
    """The inputs' names for callers, each another: the signature's where the file has one, else the tensors'."""
    names = variant.signatures[0].inputs if variant.signatures else tuple(port.name for port in variant.inputs)
    return _distinct(names)


def output_names(variant: Variant) -> tuple[str, ...]:
    """The outputs' names for callers, each another."""
    names = variant.signatures[0].outputs if variant.signatures else tuple(port.name for port in variant.outputs)
    return _distinct(names)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """A file may call several tensors alike, and give one out twice: then they are `x`, `x_2`, ..."""
    kept: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in range(2, len(names) + 2))
        kept.append(name if name not in kept else next(each for each in numbered if each not in (*kept, *names)))
    return tuple(kept)


def places(variant: Variant, ports: Sequence[SampledPort]) -> list[int]:
    """Which of the sampled ports goes to each input of a variant: the one of its name, or of its place where the
    names differ. Raises EdgeproofError where their numbers or shapes differ."""
    names, known = input_names(variant), [port.name for port in ports]
    if len(names) != len(known):
        text = f"{variant.name} has {count(len(names), 'input')}, but the reference has {len(known)}"
        raise EdgeproofError(text, hint="measure files of one task together")
    return [known.index(name) for name in names] if set(names) == set(known) else list(range(len(known)))


def is_image(port: Port) -> bool:
    """Whether an input looks like one image [1, height, width, 1 or 3]."""
    return len(port.shape) == IMAGE_SIDES and port.shape[3] in COLOURS


def shapes(variant: Variant, wanted: Mapping[str, Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """The shapes that the user gave by the name of input or tensor, by the input's place. Raises UsageError where one
    does not fit."""
    chosen = {}
    for place, (name, port) in enumerate(zip(input_names(variant), variant.inputs, strict=True)):
        shape = wanted.get(name, wanted.get(port.name))
        if shape is None:
            continue
        sides = port.open_shape or port.shape
        if len(shape) != len(sides) or any(fixed not in (-1, side) for fixed, side in zip(sides, shape, strict=True)):
            text = f"inputs.shape of {name} is {list(shape)}, but {variant.name} takes {list(sides)}"
            raise UsageError(text, hint="sides of -1 may be chosen; name the inputs as `jobs.inspect` shows them")
        chosen[place] = tuple(shape)
    return chosen
