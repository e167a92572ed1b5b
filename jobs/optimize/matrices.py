"""The kernels of a network and of the one that quantisation-aware training makes of it, found by what stays the same.

A wrapper puts a quantised tensor in a kernel's place, and the variable is only among its weights; a layer that tfmot
leaves alone is a copy. What stays is the layer's name, the variable's, and the order in the layer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MATRIX_RANK = 2
# tfmot's name for a layer that it wraps.
WRAPPED = "quant_"


@dataclass(frozen=True)
class Place:
    """Where a kernel is: the number `index` among the variables `variable` of a layer."""

    layer: str
    variable: str
    index: int


def matrices(model: Any) -> Iterator[tuple[Place, Any]]:
    """Every variable of two sides or more with its place."""
    for layer in model.layers:
        name = layer.layer.name if hasattr(layer, "quantize_config") else layer.name
        seen: dict[str, int] = {}
        for weight in layer.weights:
            variable = weight.name.split("/")[-1]
            if len(weight.shape) >= MATRIX_RANK:
                yield Place(name, variable, seen.setdefault(variable, 0)), weight
                seen[variable] += 1
