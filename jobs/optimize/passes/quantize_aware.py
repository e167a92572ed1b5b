"""Quantisation-aware training with tfmot, annotating every layer that it can quantise.

tfmot takes a BatchNormalization only right after a convolution or a dense layer; any other one on a map
is written as the 1 x 1 depthwise convolution that it is in inference, which tfmot does take. A separable
convolution is written as the two that it consists of. What is then still unknown to tfmot stays in float,
between a DEQUANTIZE and a QUANTIZE, and is listed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
    cluster_utils,
)
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_configs,
    default_8bit_quantize_registry,
)
from tf_keras.src.saving.serialization_lib import SafeModeScope

from common.errors import EdgeproofError
from common.schema.recipe import QuantizeAware
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.graph import Graph, Part
from jobs.optimize.keep_zeros import KeepZeros
from jobs.optimize.layers import exchange
from jobs.optimize.pass_result import PassResult
from jobs.optimize.ranges import calibrate

L = tf_keras.layers
NO_OP = default_8bit_quantize_configs.NoOpQuantizeConfig
FLOAT = "left in float"
MAP_RANK = 4
# What tfmot's 8-bit scheme knows, as a layer of its own and as a layer's setting.
ACTIVATIONS = ("linear", "relu", "relu6", "swish", "gelu", "softmax", "sigmoid", "tanh")
BUILT_IN = ("linear", "relu", "swish", "gelu", "softmax", "sigmoid", "tanh")


def apply(model: Any, settings: QuantizeAware, tuner: FineTuner) -> PassResult:
    """Annotate, quantise and train; the model that comes out holds fake-quantisation nodes."""
    rewritten, notes = _written_for_tfmot(model)
    graph = Graph(rewritten)
    reasons = {layer.name: _reason(graph, layer) for layer in graph.layers}
    # Before the training, which may go on in these very layers.
    kernels = {layer.name: layer.kernel.numpy() for layer in graph.layers if type(layer) in (L.Conv2D, L.Dense)}
    quantization = tfmot.quantization.keras
    annotated = exchange(rewritten, lambda layer: _annotated(layer, reasons[layer.name]))
    try:
        # The copy that tfmot makes holds nothing that is not already in this process, Lambdas among it.
        with quantization.quantize_scope({NO_OP.__name__: NO_OP}), SafeModeScope(safe_mode=False):
            aware = quantization.quantize_apply(annotated, _scheme(settings))
    except (ValueError, RuntimeError) as error:
        raise EdgeproofError(f"quantize_aware: tfmot refuses this network: {_first_line(error)}") from None
    calibrate(aware, rewritten, tuner.batches.images)
    # tfmot's mask for the zeros follows the weights that it should hold.
    held = ((variable, kernels[name]) for name, variable in _variables(aware, kernels).items())
    zeros = [KeepZeros(held)] if settings.preserve == "sparsity" else []
    tuner.fit(aware, settings, zeros)
    if "clusters" in settings.preserve:
        aware = cluster_utils.strip_clustering_cqat(aware)
        notes += _restore_clusters(aware, kernels)
    listed = [
        LayerNote(layer=name, action="quantised" if reason is None else f"{FLOAT}: {reason}")
        for name, reason in reasons.items()
    ]
    return PassResult(aware, (*notes, *listed))


def _annotated(layer: Any, reason: str | None) -> Any:
    annotate = tfmot.quantization.keras.quantize_annotate_layer
    if reason is None:
        return annotate(layer)
    # Left without any annotation, a layer of a known class would have its output quantised, and tfmot would
    # then refuse its activation.
    known = default_8bit_quantize_registry.Default8BitQuantizeRegistry().supports(layer)
    return annotate(layer, NO_OP()) if known else layer


def _scheme(settings: QuantizeAware) -> Any:
    match settings.preserve:
        case "sparsity":
            return tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
        case "clusters" | "sparsity_and_clusters":
            both = settings.preserve == "sparsity_and_clusters"
            return tfmot.experimental.combine.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=both)
    return tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme()


def _written_for_tfmot(model: Any) -> tuple[Any, list[LayerNote]]:
    graph = Graph(model)
    edits: dict[str, list[Part]] = {}
    for layer in graph.layers:
        alone = isinstance(layer, L.BatchNormalization) and not _normalises_linear(graph, layer)
        if alone and len(layer.input_shape) == MAP_RANK and not graph.is_shared(layer):
            edits[layer.name] = [_as_depthwise(layer)]
        if type(layer) is L.SeparableConv2D and not graph.is_shared(layer):
            edits[layer.name] = _split(layer)
    words = {1: "written as a 1 x 1 depthwise convolution", 2: "written as a depthwise and a 1 x 1 convolution"}
    notes = [LayerNote(layer=name, action=words[len(parts)]) for name, parts in edits.items()]
    return graph.rebuild(edits), notes


def _normalises_linear(graph: Graph, layer: Any) -> bool:
    before = graph.before(layer)
    if not isinstance(before, L.Conv2D | L.DepthwiseConv2D | L.SeparableConv2D | L.Dense):
        return False
    return bool(before.activation is tf_keras.activations.linear)


def _as_depthwise(layer: Any) -> Part:
    gamma = np.asarray(layer.gamma) if layer.scale else 1.0
    beta = np.asarray(layer.beta) if layer.center else 0.0
    scale = gamma / np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon)
    convolution = L.DepthwiseConv2D(1, name=layer.name)
    return convolution, [scale.reshape(1, 1, -1, 1), beta - np.asarray(layer.moving_mean) * scale]


def _split(layer: Any) -> list[Part]:
    depthwise, *pointwise = layer.get_weights()
    config = layer.get_config()
    shared = {key: config[key] for key in ("kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier")}
    first = L.DepthwiseConv2D(use_bias=False, name=f"{layer.name}_depthwise", **shared)
    second = L.Conv2D(layer.filters, 1, use_bias=layer.use_bias, activation=layer.activation, name=layer.name)
    return [(first, [depthwise]), (second, pointwise)]


def _variables(aware: Any, kernels: Mapping[str, Any]) -> dict[str, Any]:
    # A wrapper puts a quantised tensor in the kernel's place; the variable is only among its weights.
    found = {weight.name: weight for layer in aware.layers for weight in layer.weights}
    return {name: found[f"{name}/kernel:0"] for name in kernels}


def _restore_clusters(aware: Any, kernels: Mapping[str, Any]) -> list[LayerNote]:
    """Give the members of each cluster their mean where the training let them drift apart.

    tfmot's cluster-preserving training guesses from the counts of distinct values whether a kernel was
    clustered per channel, and does not keep the clusters where it guesses wrong.
    """
    notes = []
    for name, kernel in _variables(aware, kernels).items():
        values, members = np.unique(kernels[name], return_inverse=True)
        trained = np.asarray(kernel)
        if len(values) == trained.size or len(np.unique(trained)) <= len(values):
            continue
        means = np.bincount(members.ravel(), trained.ravel()) / np.bincount(members.ravel())
        # A pruned weight is a cluster of its own that stays where it is.
        means = np.where(values == 0, 0, means)
        kernel.assign(means[members].reshape(trained.shape))
        notes.append(LayerNote(layer=name, action="clusters restored, which the training let drift apart"))
    return notes


def _reason(graph: Graph, layer: Any) -> str | None:
    """Why tfmot cannot quantise a layer; None when it can."""
    if isinstance(layer, tf_keras.Model):
        return "a model inside the model"
    if isinstance(layer, L.BatchNormalization):
        return None if _normalises_linear(graph, layer) else "BatchNormalization of a vector, away from a dense layer"
    registry = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
    if not registry.supports(layer):
        return f"tfmot does not quantise {type(layer).__name__}"
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    known = ACTIVATIONS if isinstance(layer, L.Activation) else BUILT_IN
    return None if activation in known else f"tfmot has no quantised {activation}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
