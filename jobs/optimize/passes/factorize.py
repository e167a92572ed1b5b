"""Replace a large kernel by the product of two thin ones, and fine-tune.

The truncated singular value decomposition is the best approximation of a matrix of that rank in the
least-squares sense (Eckart and Young 1936); Denton et al. 2014 used it for convolutional networks. Both
factors take the square root of the singular values, so that neither dwarfs the other when quantised.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tf_keras

from common.schema.recipe import Factorize
from common.schema.variant import LayerNote
from jobs.optimize.done import Done, Expectation, expect
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.graph import Graph, Part, again
from jobs.optimize.layers import chosen, require_known

L = tf_keras.layers
Matrix = npt.NDArray[np.float64]


def apply(model: Any, settings: Factorize, tuner: FineTuner) -> Done:
    """Factorise dense layers and 1 x 1 convolutions where that saves weights, then fine-tune."""
    require_known(dict.fromkeys(settings.layers), model, "factorize")
    graph = Graph(model)
    edits: dict[str, list[Part]] = {}
    notes, expected = [], []
    for layer in graph.layers:
        if not layer.weights:
            continue
        reason = _refused(graph, layer, settings)
        if reason is None:
            edits[layer.name], action = _factors(layer, settings)
            expected += [made for part in edits[layer.name] for made in _present(layer.name, part)]
        else:
            action = f"left alone: {reason}"
        notes.append(LayerNote(layer=layer.name, action=action))
    thinner = graph.rebuild(edits)
    tuner.fit(thinner, settings)
    return Done(thinner, tuple(notes), tuple(expected))


def _refused(graph: Graph, layer: Any, settings: Factorize) -> str | None:
    if type(layer) not in (L.Dense, L.Conv2D) or (isinstance(layer, L.Conv2D) and not _is_pointwise(layer)):
        return "neither a dense layer nor a 1 x 1 convolution"
    if not chosen(dict.fromkeys(settings.layers, True), layer.name, False):
        return "as the recipe says"
    if graph.is_shared(layer):
        return "the network uses it more than once"
    kernel = _matrix(layer)
    if kernel.size < settings.min_weights:
        return f"{kernel.size} weights, fewer than {settings.min_weights}"
    rank = _rank(kernel, settings)
    if rank * sum(kernel.shape) >= kernel.size:
        return f"two factors of rank {rank} would hold no fewer weights"
    return None


def _is_pointwise(layer: Any) -> bool:
    return tuple(layer.kernel_size) == (1, 1) and layer.groups == 1


def _matrix(layer: Any) -> Matrix:
    kernel = np.asarray(layer.get_weights()[0], np.float64)
    return kernel.reshape(kernel.shape[-2:])


def _rank(kernel: Matrix, settings: Factorize) -> int:
    if settings.rank is not None:
        return min(settings.rank, *map(int, kernel.shape))
    energies = np.cumsum(np.square(np.linalg.svd(kernel, compute_uv=False)))
    # The last sum is the whole; rounding must not push a share above it.
    return int(np.searchsorted(energies, energies[-1] * settings.energy) + 1)


def _factors(layer: Any, settings: Factorize) -> tuple[list[Part], str]:
    kernel = _matrix(layer)
    left, values, right = np.linalg.svd(kernel, full_matrices=False)
    rank = _rank(kernel, settings)
    root = np.sqrt(values[:rank])
    size = {"units": rank} if isinstance(layer, L.Dense) else {"filters": rank}
    first = again(layer, name=f"{layer.name}_u", activation="linear", use_bias=False, **size)
    rest: dict[str, Any] = {} if isinstance(layer, L.Dense) else {"strides": (1, 1)}
    second = again(layer, name=f"{layer.name}_v", **rest)
    lead = layer.get_weights()[0].shape[:-2]
    thin, wide = left[:, :rank] * root, root[:, None] * right[:rank]
    share = float(np.sum(np.square(values[:rank])) / np.sum(np.square(values)))
    action = f"rank {rank} of {len(values)}, which holds {share:.1%} of the kernel's energy"
    parts: list[Part] = [
        (first, [thin.reshape(*lead, *thin.shape)]),
        (second, [wide.reshape(*lead, *wide.shape), *layer.get_weights()[1:]]),
    ]
    return parts, action


def _present(name: str, part: Part) -> list[Expectation]:
    return [expect(name, "present", part[1][0], 1)]
