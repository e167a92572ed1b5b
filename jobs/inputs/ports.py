"""The inputs of the reference, and from where to where values may be drawn for them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import UsageError
from common.ports import input_names, is_image
from common.schema.tflite import Port
from common.schema.variant import Variant
from common.tflite.flat import FlatOperator, Graph, parse

# Of one input; more would be no sample of anything.
MOST_VALUES = 1 << 28
# Where each operator takes its table, and where the numbers of its rows.
LOOKUPS = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0), "GATHER_ND": (0, 1)}
# What hands whole numbers on as they are.
HANDING_ON = ("RESHAPE", "CAST", "EXPAND_DIMS", "SQUEEZE", "PACK", "CONCATENATION", "SLICE", "STRIDED_SLICE")
BYTE_ENDS = (0.0, 256.0)


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
    variant: Variant, content: bytes, shapes: Mapping[int, Sequence[int]], ends: Mapping[str, tuple[float, float]]
) -> tuple[Wanted, ...]:
    """The inputs in the file's order; `shapes` by their place replace the file's, `ends` by either name what would be
    drawn. Raises UsageError for an input that is too large."""
    graph = parse(content).graphs[0]
    found = []
    ports = zip(input_names(variant), variant.inputs, graph.inputs, strict=True)
    for place, (name, port, tensor) in enumerate(ports):
        shape = tuple(shapes.get(place, port.shape))
        if math.prod(shape) > MOST_VALUES:
            raise UsageError(f"input {name} of {variant.name} has {math.prod(shape):,} values, too many to be filled")
        whole = port.dtype not in ("float32", "float16", "float64") and port.scale is None
        given = ends.get(name, ends.get(port.name))
        (low, high), why = (given, "given") if given is not None else _ends(port, variant.pixels, graph, tensor)
        found.append(Wanted(name, shape, port.dtype, low, high, whole, why))
    return tuple(found)


def _ends(port: Port, pixels: tuple[float, float], graph: Graph, tensor: int) -> tuple[tuple[float, float], str]:
    if port.dtype == "bool":
        return (0.0, 2.0), "true or false"
    if port.scale is not None and port.zero_point is not None:
        ends = np.iinfo(port.dtype)
        low, high = ((end - port.zero_point) * port.scale for end in (ends.min, ends.max))
        return (low, high), "what its quantisation can hold"
    if port.dtype.startswith("float"):
        return (pixels, "an image's pixels") if is_image(port) else ((0.0, 1.0), "nothing in the file says more")
    rows = _rows(graph, tensor)
    if rows is not None:
        return (0.0, float(rows)), "rows of the table that it indexes"
    if port.dtype == "uint8":
        return BYTE_ENDS, "bytes"
    return (0.0, 2.0), "nothing in the file says more; [inputs] range widens it"


def _indexed(operator: FlatOperator, sides: tuple[int, ...], indices: tuple[int, ...]) -> int:
    """The least of the sides of a table that an operator looks up in."""
    if operator.name == "GATHER_ND":
        return min(sides[: indices[-1]], default=1) if indices else sides[0]
    axis = int(getattr(operator.options, "axis", 0))
    return sides[axis] if -len(sides) <= axis < len(sides) else min(sides)


def _rows(graph: Graph, tensor: int) -> int | None:
    """The least number of rows of any table that the numbers of a tensor look up."""
    reached, rows = {tensor}, []
    for operator in graph.operators:
        if operator.name in LOOKUPS:
            table, indices = (operator.inputs[place] for place in LOOKUPS[operator.name])
            sides = graph.tensors[table].shape
            if indices in reached and sides:
                rows.append(_indexed(operator, sides, graph.tensors[indices].shape))
        elif operator.name in HANDING_ON and reached & set(operator.inputs):
            reached |= set(operator.outputs)
    return min(rows) if rows else None
