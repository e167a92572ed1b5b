"""Weight clustering with tfmot: each kernel keeps a small number of distinct values."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras.clustering_registry import ClusteringRegistry
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import cluster_weights

from common.networks.flat import leaves
from common.networks.recipes import chosen, require_layers
from common.schema.recipe import Cluster
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.keep_zeros import KeepZeros
from jobs.optimize.kernels import channels, kernel_names, why_none
from jobs.optimize.layers import exchange
from jobs.optimize.pass_result import Expectation, PassResult, expect


def apply(model: Any, settings: Cluster, tuner: FineTuner) -> PassResult:
    """Cluster every layer that tfmot clusters, then fine-tune the centroids."""
    require_layers(settings.layers, model, "cluster")
    wrapped = exchange(model, lambda layer: _wrapped(layer, settings))
    layers = list(leaves(wrapped))
    alone = [getattr(layer, name) for layer in layers if not _is_wrapped(layer) for name in _kernels(layer)]
    held = [KeepZeros((kernel, kernel.numpy()) for kernel in alone)] if settings.preserve_sparsity else []
    tuner.fit(wrapped, settings, held)
    notes = tuple(_note(layer, settings) for layer in layers)
    expected = tuple(made for layer in layers for made in _expected(layer, settings))
    return PassResult(tfmot.clustering.keras.strip_clustering(wrapped), notes, expected)


def _wrapped(layer: Any, settings: Cluster) -> Any:
    clusters = chosen(settings.layers, layer.name, settings.clusters)
    if not clusters or not _kernels(layer) or not _fits(layer, clusters, settings, per_channel=False):
        return layer
    # tfmot takes a frozen layer for one without kernels; what is clustered has to recover anyway.
    layer.trainable = True
    return cluster_weights(
        layer,
        number_of_clusters=clusters,
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization[settings.initialization],
        preserve_sparsity=settings.preserve_sparsity,
        cluster_per_channel=_can_per_channel(layer, settings) and _fits(layer, clusters, settings, per_channel=True),
    )


def _kernels(layer: Any) -> list[str]:
    return kernel_names(layer, ClusteringRegistry)


def _can_per_channel(layer: Any, settings: Cluster) -> bool:
    # Per channel, tfmot takes the last weight's size for the number of channels: without a bias that is
    # the whole kernel, and it would skip the layer. Of a transposed one it takes the input channels.
    return settings.per_channel and type(layer) is tf_keras.layers.Conv2D and bool(layer.use_bias)


def _fits(layer: Any, clusters: int, settings: Cluster, *, per_channel: bool) -> bool:
    """Whether there are weights enough for the clusters, in the kernel or in each of its channels."""
    kernels = (getattr(layer, name).numpy() for name in _kernels(layer))
    groups = [kernel.reshape(-1, kernel.shape[-1] if per_channel else 1) for kernel in kernels]
    if any(len(group) <= clusters for group in groups):
        return False
    return not settings.preserve_sparsity or all(_fits_beside_zero(group, clusters - 1) for group in groups)


def _fits_beside_zero(group: npt.NDArray[np.float32], clusters: int) -> bool:
    """Whether each column of [weights, channels] holds enough weights on both sides of zero.

    tfmot shares the clusters out by the number of weights on each side and stops where a side has fewer weights
    than its clusters (AbstractCentroidsInitialisation._zero_centroid_initialization).
    """
    negative, positive = (group < 0).sum(axis=0), (group > 0).sum(axis=0)
    if not (negative + positive).all():
        return False
    below = np.round(clusters * negative / (negative + positive))
    return bool((below <= negative).all() and (clusters - below <= positive).all())


def _expected(layer: Any, settings: Cluster) -> list[Expectation]:
    if not _is_wrapped(layer):
        return []
    name = layer.layer.name
    bound = chosen(settings.layers, name, settings.clusters)
    return [
        expect(name, "clusters", getattr(layer.layer, kernel), bound, channels=channels(layer.layer, kernel))
        for kernel in layer.cluster_centroids
    ]


def _is_wrapped(layer: Any) -> bool:
    return bool(getattr(layer, "cluster_centroids", {}))


def _note(layer: Any, settings: Cluster) -> LayerNote:
    if _is_wrapped(layer):
        kernels = ", ".join(layer.cluster_centroids)
        convolution = isinstance(layer.layer, tf_keras.layers.Conv2D)
        whole = settings.per_channel and convolution and not layer.cluster_per_channel
        return LayerNote(layer=layer.layer.name, action=f"clustered {kernels}" + (" as a whole" if whole else ""))
    return LayerNote(layer=layer.name, action=f"left alone: {_reason(layer, settings)}", changed=False)


def _reason(layer: Any, settings: Cluster) -> str:
    if not layer.weights:
        return "no weights"
    if not _kernels(layer):
        return why_none(layer, ClusteringRegistry, "clusters")
    clusters = chosen(settings.layers, layer.name, settings.clusters)
    return f"too few weights for {clusters} clusters" if clusters else "as the recipe says"
