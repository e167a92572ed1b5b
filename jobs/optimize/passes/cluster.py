"""Weight clustering with tfmot: each kernel keeps a small number of distinct values."""

from typing import Any

import tensorflow_model_optimization as tfmot

from common.schema.recipe import Cluster
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner


def apply(model: Any, settings: Cluster, tuner: FineTuner) -> tuple[Any, tuple[LayerNote, ...]]:
    """Cluster every layer that tfmot clusters, then fine-tune the centroids."""
    clustering = tfmot.clustering.keras
    wrapped = clustering.cluster_weights(
        model,
        number_of_clusters=settings.clusters,
        cluster_centroids_init=clustering.CentroidInitialization[settings.initialization],
        cluster_per_channel=settings.per_channel,
    )
    tuner.fit(wrapped, settings)
    notes = tuple(_note(layer) for layer in wrapped.layers)
    return clustering.strip_clustering(wrapped), notes


def _note(layer: Any) -> LayerNote:
    # The wrapper keeps centroids for the weights that it really clusters.
    kernels = list(getattr(layer, "cluster_centroids", {}))
    inner = getattr(layer, "layer", layer)
    if kernels:
        return LayerNote(layer=inner.name, action="clustered " + ", ".join(kernels))
    reason = "no weights" if not inner.weights else "tfmot clusters none of its weights"
    return LayerNote(layer=inner.name, action=f"left alone: {reason}")
