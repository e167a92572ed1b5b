"""tfmot's 8-bit scheme with what it lacks: layers of one operator without a kernel, and zeros or clusters preserved
where tfmot can, without refusing the layers where it cannot."""

from collections.abc import Callable
from typing import Any

import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
    cluster_preserve_quantize_registry,
)
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (
    prune_preserve_quantize_registry,
)
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_configs,
    default_8bit_quantize_registry,
    default_8bit_quantize_scheme,
)

from jobs.optimize.int8_forms import AsRow, FromRow

L = tf_keras.layers
Plain = default_8bit_quantize_registry.Default8BitQuantizeRegistry
NoOp = default_8bit_quantize_configs.NoOpQuantizeConfig
OutputOnly = default_8bit_quantize_configs.Default8BitOutputQuantizeConfig
# Layers that TFLite computes as one operator without a kernel, whose output has a range of its own.
ONE_OPERATOR = (L.Multiply, L.Subtract, L.Average, L.Maximum, L.Minimum, L.PReLU)


# Layers that change no value, so that the range before them is the one after them.
PASSING = (AsRow, FromRow, L.MaxPooling1D, L.RepeatVector)
CUSTOM = {"NoOpQuantizeConfig": NoOp, "AsRow": AsRow, "FromRow": FromRow}


def known(layer: Any) -> bool:
    """Whether there is a configuration for this kind of layer, of tfmot or of this module."""
    return type(layer) in (*ONE_OPERATOR, *PASSING) or bool(Plain().supports(layer))


def annotated(layer: Any, *, simulated: bool) -> Any:
    """The layer with a word for tfmot whether it is `simulated`."""
    annotate = tfmot.quantization.keras.quantize_annotate_layer
    if not simulated:
        # Left without any annotation, a layer of a class that tfmot knows would have its output quantised, and tfmot
        # would then refuse its activation.
        return annotate(layer, NoOp()) if Plain().supports(layer) else layer
    if type(layer) in ONE_OPERATOR:
        return annotate(layer, OutputOnly())
    return annotate(layer, NoOp()) if type(layer) in PASSING else annotate(layer)


class Scheme(default_8bit_quantize_scheme.Default8BitQuantizeScheme):  # type: ignore[misc]
    """tfmot's scheme, with quantisers of kernels that preserve what `preserve` says (see QuantizeAware)."""

    def __init__(self, preserve: str) -> None:
        super().__init__()
        self._preserve = preserve

    def get_quantize_registry(self) -> Any:
        """Configurations by the kind of layer."""
        return _Registry(self._preserve)


class _Registry(default_8bit_quantize_registry.Default8BitQuantizeRegistry):  # type: ignore[misc]
    def __init__(self, preserve: str) -> None:
        super().__init__()
        self._preserving = _preserving(preserve)

    def get_quantize_config(self, layer: Any) -> Any:
        config = super().get_quantize_config(layer)
        if self._preserving is None:
            return config
        # A new one for each layer: tfmot's keeps in it that a layer had no zeros, and forgets those of the next.
        return self._preserving(layer, config)


def _preserving(preserve: str) -> Callable[[Any, Any], Any] | None:
    if preserve == "nothing":
        return None

    def zeros(layer: Any, config: Any) -> Any:
        registry = prune_preserve_quantize_registry.PrunePreserveQuantizeRegistry()
        return registry.apply_sparsity_preserve_quantize_config(layer, config) if _kernel(layer) else config

    def clusters(layer: Any, config: Any) -> Any:
        registry = cluster_preserve_quantize_registry.ClusterPreserveQuantizeRegistry(
            preserve == "sparsity_and_clusters"
        )
        return registry.apply_cluster_preserve_quantize_config(layer, config) if _kernel(layer) else config

    return zeros if preserve == "sparsity" else clusters


def _kernel(layer: Any) -> bool:
    # Of those that it lists, the ones with a kernel that is pruned and clustered.
    return type(layer) in (L.Conv2D, L.Dense)
