"""Quantisation-aware training with tfmot, in every layer where it can simulate int8.

Where it cannot, the file may still hold int8: the conversion measures the ranges that the training left out. What
became of each layer is told from the file (`jobs/optimize/held.py`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
    cluster_utils,
)
from tf_keras.src.saving.serialization_lib import SafeModeScope

from common.errors import EdgeproofError
from common.schema.recipe import QuantizeAware
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.graph import Graph
from jobs.optimize.int8_forms import BUILT_IN, activation_name, folded_later, int8_forms
from jobs.optimize.keep_zeros import KeepZeros
from jobs.optimize.layers import exchange
from jobs.optimize.matrices import Place, matrices
from jobs.optimize.pass_result import Aware, PassResult
from jobs.optimize.ranges import calibrate
from jobs.optimize.tfmot_scheme import CUSTOM, Scheme, annotated, known

L = tf_keras.layers
Kernels = Mapping[Place, npt.NDArray[np.float32]]
# What tfmot's 8-bit scheme knows as a layer of its own.
ACTIVATIONS = (*BUILT_IN, "relu6", "swish", "gelu")
# Of a kernel's weights, the most distinct values that a clustered one has.
CLUSTERED = 0.95


def apply(model: Any, settings: QuantizeAware, tuner: FineTuner) -> PassResult:
    """Annotate, quantise and train; the model that comes out holds fake-quantisation nodes."""
    forms = int8_forms(model)
    graph = Graph(forms.model)
    reasons = {layer.name: _reason(graph, layer) for layer in graph.layers}
    # Before the training, which may go on in these very layers.
    kernels = {place: kernel.numpy() for place, kernel in matrices(forms.model)}
    aware = _aware(forms.model, reasons, settings)
    calibrate(aware, forms.model, tuner.batches.images)
    # tfmot's mask for the zeros follows the weights that it should hold, and it knows few kinds of layers.
    held = ((kernel, kernels[place]) for place, kernel in matrices(aware) if place in kernels)
    zeros = [KeepZeros(held)] if settings.preserve in ("sparsity", "sparsity_and_clusters") else []
    tuner.fit(aware, settings, zeros)
    notes = list(forms.notes)
    if "clusters" in settings.preserve:
        aware = cluster_utils.strip_clustering_cqat(aware)
        notes += _restore_clusters(aware, kernels)
    return PassResult(aware, tuple(notes), aware=tuple(_layers(forms.parts, reasons, kernels)))


def _aware(model: Any, reasons: Mapping[str, str | None], settings: QuantizeAware) -> Any:
    quantization = tfmot.quantization.keras
    marked = exchange(model, lambda layer: annotated(layer, simulated=reasons[layer.name] is None))
    try:
        # The copy that tfmot makes holds nothing that is not already in this process, Lambdas among it.
        with quantization.quantize_scope(CUSTOM), SafeModeScope(safe_mode=False):
            return quantization.quantize_apply(marked, Scheme(settings.preserve))
    except (ValueError, RuntimeError) as error:
        raise EdgeproofError(f"quantize_aware: tfmot refuses this network: {_first_line(error)}") from None


def _layers(
    parts: Mapping[str, tuple[str, ...]], reasons: Mapping[str, str | None], kernels: Kernels
) -> Iterator[Aware]:
    """Each layer of the network with why it, or a part that stands for it, is not simulated."""
    written = {part: name for name, own in parts.items() for part in own}
    for name in dict.fromkeys(written.get(part, part) for part in reasons):
        own = parts.get(name, (name,))
        # The slopes of a PReLU have two sides too, and are no kernel.
        sizes = tuple(
            kernel.size for place, kernel in kernels.items() if place.layer in own and "kernel" in place.variable
        )
        yield Aware(name, own, sizes, next((reasons[part] for part in own if reasons[part]), None))


def _restore_clusters(aware: Any, kernels: Kernels) -> list[LayerNote]:
    """Give the members of each cluster their mean where the training let them drift apart.

    tfmot's cluster-preserving training guesses from the counts of distinct values whether a kernel was
    clustered per channel, and does not keep the clusters where it guesses wrong; of most layers it keeps none.
    """
    notes = []
    for place, kernel in matrices(aware):
        if place not in kernels:
            continue
        values, members = np.unique(kernels[place], return_inverse=True)
        trained = np.asarray(kernel)
        # Some weights of a kernel that was never clustered are equal by chance.
        if len(values) > CLUSTERED * trained.size or len(np.unique(trained)) <= len(values):
            continue
        means = np.bincount(members.ravel(), trained.ravel()) / np.bincount(members.ravel())
        # A pruned weight is a cluster of its own that stays where it is.
        means = np.where(values == 0, 0, means)
        kernel.assign(means[members].reshape(trained.shape))
        notes.append(LayerNote(layer=place.layer, action="clusters restored, which the training let drift apart"))
    return notes


def _reason(graph: Graph, layer: Any) -> str | None:
    """Why a layer is not simulated in int8; None where it is."""
    if isinstance(layer, tf_keras.Model):
        return "a model inside the model"
    if isinstance(layer, L.BatchNormalization):
        return None if folded_later(graph, layer) else "no convolution before it takes this BatchNormalization"
    if not known(layer):
        return f"tfmot does not quantise {type(layer).__name__}"
    activation = activation_name(getattr(layer, "activation", tf_keras.activations.linear))
    allowed = ACTIVATIONS if isinstance(layer, L.Activation) else BUILT_IN
    return None if activation in allowed else f"tfmot has no quantised {activation}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
