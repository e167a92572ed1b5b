"""From where to where values may be drawn for an input, by what the file says of it. Pure."""

from dataclasses import dataclass

import numpy as np

from common.ports import is_image
from common.schema.tflite import Port
from common.tflite.flat import FlatOperator, Graph

# Where each operator takes its table, and where the numbers of its rows.
LOOKUPS = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0), "GATHER_ND": (0, 1)}
# What hands whole numbers on as they are.
HANDING_ON = ("RESHAPE", "CAST", "EXPAND_DIMS", "SQUEEZE", "PACK", "CONCATENATION", "SLICE", "STRIDED_SLICE")
BYTES = {"uint8": (0.0, 256.0), "int8": (-128.0, 128.0)}
NOTHING = "nothing in the file says more"


@dataclass(frozen=True)
class Ends:
    """Real numbers from `low` to `high`, or whole ones to below it. `why` says where the ends come from, and `told`
    whether they come from the file."""

    low: float
    high: float
    why: str
    told: bool = True


def whole(port: Port) -> bool:
    """Whether an input takes whole numbers that stand for themselves, such as token ids."""
    return not port.dtype.startswith(("float", "bfloat")) and not port.scale


def ends(port: Port, pixels: tuple[float, float] | None, rows: int | None) -> Ends:
    """The ends for an input; `pixels` are those of an image in it, `rows` those of the table that it looks up in
    (`rows_of_tables`), where known."""
    if port.dtype == "bool":
        return Ends(0.0, 2.0, "true or false")
    if port.scale and port.zero_point is not None and not port.dtype.startswith("float"):
        kind = np.iinfo(port.dtype)
        low, high = ((end - port.zero_point) * port.scale for end in (kind.min, kind.max))
        return Ends(low, high, "what its quantisation can hold")
    if port.dtype.startswith("float"):
        if pixels is not None:
            return Ends(*pixels, "an image's pixels")
        return Ends(0.0, 1.0, "an image's pixels" if is_image(port) else NOTHING, told=False)
    if rows is not None:
        return Ends(0.0, float(rows), "rows of the table that it indexes")
    if port.dtype in BYTES:
        return Ends(*BYTES[port.dtype], "bytes")
    return Ends(0.0, 2.0, NOTHING, told=False)


def _indexed(operator: FlatOperator, sides: tuple[int, ...], indices: tuple[int, ...]) -> int:
    """The least of the sides of a table that an operator looks up in."""
    if operator.name == "GATHER_ND":
        return min(sides[: indices[-1]], default=1) if indices else sides[0]
    axis = int(getattr(operator.options, "axis", 0))
    return sides[axis] if -len(sides) <= axis < len(sides) else min(sides)


def rows_of_tables(graph: Graph) -> dict[int, int]:
    """The least number of rows of any table that the numbers of a tensor look up, by the tensor's index."""
    rows: dict[int, int] = {}
    # From the end on, so that what a tensor is handed on as is known before it.
    for operator in reversed(graph.operators):
        if operator.name in LOOKUPS and len(operator.inputs) > 1:
            table, indices = (operator.inputs[place] for place in LOOKUPS[operator.name])
            sides = graph.tensors[table].shape if table >= 0 else ()
            if sides and indices >= 0:
                found = max(1, _indexed(operator, sides, graph.tensors[indices].shape))
                rows[indices] = min(found, rows.get(indices, found))
        elif operator.name in HANDING_ON:
            known = [rows[index] for index in operator.outputs if index in rows]
            if known:
                rows |= {index: min(*known, rows.get(index, known[0])) for index in operator.inputs}
    return rows
