"""Replace a kernel by two thinner ones, one after the other, and fine-tune.

The truncated singular value decomposition is the best approximation of a matrix of that rank in the
least-squares sense (Eckart and Young 1936). Denton et al. 2014 used it for dense layers; Jaderberg, Vedaldi
and Zisserman 2014 split a k x k convolution into a column and a row. Both factors take the square root of the
singular values, so that neither dwarfs the other when quantised.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tf_keras

from common.networks.flat import again
from common.networks.recipes import THIN, WIDE, chosen, named, require_layers
from common.schema.recipe import Factorize
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.graph import Graph, Part
from jobs.optimize.pass_result import Expectation, PassResult, expect

L = tf_keras.layers
Matrix = npt.NDArray[np.float64]


def apply(model: Any, settings: Factorize, tuner: FineTuner) -> PassResult:
    """Factorise every layer where that saves weights, then fine-tune."""
    require_layers((*settings.layers, *settings.ranks), model, "factorize")
    graph = Graph(model)
    edits: dict[str, list[Part]] = {}
    notes, expected = [], []
    for layer in graph.layers:
        if not layer.weights:
            continue
        reason = _refused(graph, layer, settings)
        if reason is None:
            edits[layer.name], action = factors(layer, settings)
            expected += [made for part in edits[layer.name] for made in _present(layer.name, part)]
        else:
            action = f"left alone: {reason}"
        notes.append(LayerNote(layer=layer.name, action=action, changed=reason is None))
    thinner = graph.rebuild(edits)
    tuner.fit(thinner, settings)
    return PassResult(thinner, tuple(notes), tuple(expected))


def _refused(graph: Graph, layer: Any, settings: Factorize) -> str | None:
    if type(layer) not in (L.Dense, L.Conv2D) or getattr(layer, "groups", 1) > 1:
        return "neither a dense layer nor a plain convolution"
    own = chosen(settings.ranks, layer.name, None)
    if own == 0 or (own is None and not named(settings.layers, layer.name)):
        return "as the recipe says"
    if graph.is_shared(layer):
        return "the network uses it more than once"
    kernel = _matrix(layer)
    if own is None and (reason := _unasked(layer, kernel, settings)) is not None:
        return reason
    rank = _rank(layer, kernel, settings)
    if rank * sum(kernel.shape) >= kernel.size:
        return f"two factors of rank {rank} would hold no fewer weights"
    return None


def _unasked(layer: Any, kernel: Matrix, settings: Factorize) -> str | None:
    """Why a layer without a rank of its own keeps its kernel; None where it gets two."""
    if _is_spatial(layer):
        return "larger than 1 x 1, and no spatial_rank is given" if settings.spatial_rank is None else None
    if settings.rank is None and settings.energy is None:
        return "neither rank nor energy is given"
    few = kernel.size < settings.min_weights
    return f"{kernel.size} weights, fewer than {settings.min_weights}" if few else None


def _is_spatial(layer: Any) -> bool:
    return isinstance(layer, L.Conv2D) and tuple(layer.kernel_size) != (1, 1)


def _matrix(layer: Any) -> Matrix:
    kernel = np.asarray(layer.get_weights()[0], np.float64)
    if not _is_spatial(layer):
        return kernel.reshape(kernel.shape[-2:])
    height, width, given, made = kernel.shape
    # Rows are (height, input channel), columns (width, output channel): what a column and a row can see.
    return kernel.transpose(0, 2, 1, 3).reshape(height * given, width * made)


def _rank(layer: Any, kernel: Matrix, settings: Factorize) -> int:
    general = settings.spatial_rank if _is_spatial(layer) else settings.rank
    fixed = chosen(settings.ranks, layer.name, general)
    if fixed is not None:
        return min(fixed, *map(int, kernel.shape))
    energies = np.cumsum(np.square(np.linalg.svd(kernel, compute_uv=False)))
    # The last sum is the whole; rounding must not push a share above it.
    return int(np.searchsorted(energies, energies[-1] * settings.energy) + 1)


def factors(layer: Any, settings: Factorize) -> tuple[list[Part], str]:
    """The two layers that take a layer's place, and what was done in words."""
    kernel = _matrix(layer)
    left, values, right = np.linalg.svd(kernel, full_matrices=False)
    rank = _rank(layer, kernel, settings)
    root = np.sqrt(values[:rank])
    thin, wide = left[:, :rank] * root, root[:, None] * right[:rank]
    parts = _column_and_row(layer, thin, wide) if _is_spatial(layer) else _products(layer, thin, wide)
    share = float(np.sum(np.square(values[:rank])) / np.sum(np.square(values)))
    return parts, f"rank {rank} of {len(values)}, which holds {share:.1%} of the kernel's energy"


def _products(layer: Any, thin: Matrix, wide: Matrix) -> list[Part]:
    size = {"units": thin.shape[1]} if isinstance(layer, L.Dense) else {"filters": thin.shape[1]}
    rest: dict[str, Any] = {} if isinstance(layer, L.Dense) else {"strides": (1, 1)}
    first = again(layer, name=f"{layer.name}{THIN}", activation="linear", use_bias=False, **size)
    second = again(layer, name=f"{layer.name}{WIDE}", **rest)
    lead = layer.get_weights()[0].shape[:-2]
    return [
        (first, [thin.reshape(*lead, *thin.shape)]),
        (second, [wide.reshape(*lead, *wide.shape), *layer.get_weights()[1:]]),
    ]


def _column_and_row(layer: Any, thin: Matrix, wide: Matrix) -> list[Part]:
    (height, width), (down, across), (tall, broad) = layer.kernel_size, layer.strides, layer.dilation_rate
    rank = thin.shape[1]
    first = again(
        layer,
        name=f"{layer.name}{THIN}",
        filters=rank,
        kernel_size=(height, 1),
        strides=(down, 1),
        dilation_rate=(tall, 1),
        activation="linear",
        use_bias=False,
    )
    name = f"{layer.name}{WIDE}"
    second = again(layer, name=name, kernel_size=(1, width), strides=(1, across), dilation_rate=(1, broad))
    row = wide.reshape(rank, width, layer.filters).transpose(1, 0, 2)
    return [
        (first, [thin.reshape(height, 1, -1, rank)]),
        (second, [row[None], *layer.get_weights()[1:]]),
    ]


def _present(name: str, part: Part) -> list[Expectation]:
    return [expect(name, "present", part[1][0], 1)]
