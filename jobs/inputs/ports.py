"""The inputs of the reference, and from where to where values may be drawn for them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.ends import Ends, ends, rows_of_tables, whole
from common.errors import UsageError
from common.ports import input_names, is_image
from common.schema.variant import Variant
from common.tflite.flat import parse

# Of one input; more would be no sample of anything.
MOST_VALUES = 1 << 28


@dataclass(frozen=True)
class Wanted:
    """An input: the name that callers use, the shape of one request, and what is drawn, from `low` to below `high`.

    `whole`: whole numbers that stand for themselves, such as token ids. `why` says where the ends come from.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    whole: bool
    why: str


def wanted(
    variant: Variant, content: bytes, shapes: Mapping[int, Sequence[int]], ranges: Mapping[str, tuple[float, float]]
) -> tuple[Wanted, ...]:
    """The inputs in the file's order; `shapes` by their place replace the file's, `ranges` by either name what would be
    drawn. Raises UsageError for an input that is too large."""
    graph = parse(content).graphs[0]
    rows, found = rows_of_tables(graph), []
    ports = zip(input_names(variant), variant.inputs, graph.inputs, strict=True)
    for place, (name, port, tensor) in enumerate(ports):
        shape = tuple(shapes.get(place, port.shape))
        if math.prod(shape) > MOST_VALUES:
            raise UsageError(f"input {name} of {variant.name} has {math.prod(shape):,} values, too many to be filled")
        given = ranges.get(name, ranges.get(port.name))
        pixels = variant.pixels if is_image(port) else None
        drawn = Ends(*given, "given") if given is not None else ends(port, pixels, rows.get(tensor))
        numbers = whole(port)
        why = drawn.why if drawn.told or not numbers else f"{drawn.why}; [inputs] range widens it"
        found.append(Wanted(name, shape, port.dtype, drawn.low, drawn.high, numbers, why))
    return tuple(found)
