"""Which weights of a layer are kernels that are found again in the file, and where their output channels are."""

from typing import Any

import numpy as np
import tf_keras

L = tf_keras.layers
# Of a layer's kernel, the axes of its output channels; every other kind ends with them. Layers that are not here
# become operators whose kernels nobody looks into, or none of one kernel.
AXES: dict[type, tuple[int, ...]] = {
    L.Dense: (-1,),
    L.Conv1D: (-1,),
    L.Conv2D: (-1,),
    L.SeparableConv1D: (-1,),
    L.SeparableConv2D: (-1,),
    L.Conv1DTranspose: (-2,),
    L.Conv2DTranspose: (-2,),
    # Heads and what each of them gives; the projection at its end has one axis.
    L.MultiHeadAttention: (-2, -1),
}
PROJECTION = "_output_dense"


def kernel_names(layer: Any, registry: Any) -> list[str]:
    """The kernels that tfmot's `registry` changes, of those that are found again; a path for one of a part."""
    # Only the registry knows them, and its own reader of them is private and fails for layers that it takes otherwise.
    return list(registry._LAYERS_WEIGHTS_MAP.get(type(layer), ())) if type(layer) in AXES and layer.weights else []


def why_none(layer: Any, registry: Any, does: str) -> str:
    """Why a layer with weights has none of these kernels; `does` is what tfmot does with others."""
    mapped = registry._LAYERS_WEIGHTS_MAP
    if mapped.get(type(layer)) or (type(layer) not in mapped and isinstance(layer, L.RNN | L.MultiHeadAttention)):
        return f"the kernels of a {type(layer).__name__} are not looked for in the file"
    return f"tfmot {does} none of its weights"


def kernel(layer: Any, name: str) -> Any:
    """The variable of a kernel's name."""
    for part in name.split("."):
        layer = getattr(layer, part)
    return layer


def channels(layer: Any, name: str) -> int:
    """The number of output channels of a kernel."""
    axes = (-1,) if name.startswith(PROJECTION) else AXES[type(layer)]
    shape = kernel(layer, name).shape
    return int(np.prod([shape[axis] for axis in axes]))
