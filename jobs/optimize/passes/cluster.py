"""Weight clustering with tfmot: each kernel keeps a small number of distinct values."""

from typing import Any

import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras import clustering_registry
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import cluster_weights

from common.schema.recipe import Cluster
from common.schema.variant import LayerNote
from jobs.optimize.done import Done, Expectation, expect
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.layers import chosen, exchange, leaves, require_known


def apply(model: Any, settings: Cluster, tuner: FineTuner) -> Done:
    """Cluster every layer that tfmot clusters, then fine-tune the centroids."""
    require_known(settings.layers, model, "cluster")
    wrapped = exchange(model, lambda layer: _wrapped(layer, settings))
    tuner.fit(wrapped, settings)
    layers = list(leaves(wrapped))
    notes = tuple(_note(layer, settings) for layer in layers)
    expected = tuple(made for layer in layers for made in _expected(layer, settings))
    return Done(tfmot.clustering.keras.strip_clustering(wrapped), notes, expected)


def _wrapped(layer: Any, settings: Cluster) -> Any:
    clusters = chosen(settings.layers, layer.name, settings.clusters)
    if not clusters or not _kernels(layer) or _too_small(layer, clusters, settings):
        return layer
    return cluster_weights(
        layer,
        number_of_clusters=clusters,
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization[settings.initialization],
        preserve_sparsity=settings.preserve_sparsity,
        cluster_per_channel=_per_channel(layer, settings),
    )


def _kernels(layer: Any) -> list[str]:
    # Only the registry knows which weights of a layer tfmot clusters; its reader of them is private.
    registry = clustering_registry.ClusteringRegistry
    return list(registry._weight_names(layer)) if registry.supports(layer) and layer.weights else []


def _per_channel(layer: Any, settings: Cluster) -> bool:
    # Per channel, tfmot takes the last weight's size for the number of channels: without a bias that is
    # the whole kernel, and it would skip the layer.
    return settings.per_channel and isinstance(layer, tf_keras.layers.Conv2D) and bool(layer.use_bias)


def _too_small(layer: Any, clusters: int, settings: Cluster) -> bool:
    sizes = [getattr(layer, name).shape for name in _kernels(layer)]
    share = [shape[-1] if _per_channel(layer, settings) else 1 for shape in sizes]
    return any(shape.num_elements() // channels <= clusters for shape, channels in zip(sizes, share, strict=True))


def _expected(layer: Any, settings: Cluster) -> list[Expectation]:
    if not _is_wrapped(layer):
        return []
    name = layer.layer.name
    bound = chosen(settings.layers, name, settings.clusters)
    return [expect(name, "clusters", getattr(layer.layer, kernel), bound) for kernel in layer.cluster_centroids]


def _is_wrapped(layer: Any) -> bool:
    return bool(getattr(layer, "cluster_centroids", {}))


def _note(layer: Any, settings: Cluster) -> LayerNote:
    if _is_wrapped(layer):
        kernels = ", ".join(layer.cluster_centroids)
        convolution = isinstance(layer.layer, tf_keras.layers.Conv2D)
        whole = settings.per_channel and convolution and not _per_channel(layer.layer, settings)
        return LayerNote(layer=layer.layer.name, action=f"clustered {kernels}" + (" as a whole" if whole else ""))
    return LayerNote(layer=layer.name, action=f"left alone: {_reason(layer, settings)}")


def _reason(layer: Any, settings: Cluster) -> str:
    if not layer.weights:
        return "no weights"
    if not _kernels(layer):
        return "tfmot clusters none of its weights"
    clusters = chosen(settings.layers, layer.name, settings.clusters)
    return f"no more weights than the {clusters} clusters" if clusters else "as the recipe says"
