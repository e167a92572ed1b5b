"""Networks of other parts than plain convolutions go through the passes, or the layer is left alone and listed."""

from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.unit.optimize.tiny import SIDE, attempt, notes, run

PRUNE = {"pass": "prune", "frequency": 1, "sparsity": 0.75}
CLUSTER = {"pass": "cluster", "clusters": 4, "initialization": "LINEAR"}


def sequential(*parts: Any) -> Any:
    tf_keras.utils.set_random_seed(5)
    last = layers.Dense(2, activation="softmax", name="last")
    return tf_keras.Sequential([layers.Input((SIDE, SIDE, 3)), *parts, last])


def transposed() -> Any:
    up = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu", name="up")
    return sequential(layers.Conv2D(8, 3, strides=2, padding="same"), up, layers.GlobalAveragePooling2D())


def attention() -> Any:
    tf_keras.utils.set_random_seed(5)
    images = layers.Input((SIDE, SIDE, 3))
    words = layers.Reshape((-1, 12))(layers.Conv2D(12, 4, strides=4)(images))
    # Every projection of another size: the file's kernels can be told apart.
    mixed = layers.MultiHeadAttention(2, 4, value_dim=3, output_shape=10, name="mixed")(words, words)
    return tf_keras.Model(images, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(mixed)))


def recurrent() -> Any:
    return sequential(layers.Reshape((4, SIDE * SIDE * 3 // 4)), layers.GRU(4, name="states"))


def test_a_transposed_convolution_is_pruned_and_found_in_the_file() -> None:
    done, found = run([PRUNE], transposed)
    assert notes(done)["up"] == "pruned kernel"
    [kernel] = [kernel for kernel in found.kernels if kernel.operator == "TRANSPOSE_CONV"]
    assert kernel.tensor.zeros >= 0.74
    assert ("up", "sparsity", 16) in [(item.layer, item.claim, item.channels) for item in done.expected]


def test_a_transposed_convolution_is_clustered_as_a_whole() -> None:
    done, found = run([CLUSTER], transposed)
    assert notes(done)["up"] == "clustered kernel as a whole"
    [kernel] = [kernel for kernel in found.kernels if kernel.operator == "TRANSPOSE_CONV"]
    assert kernel.tensor.unique_per_channel <= 4


@pytest.mark.slow
def test_groups_of_input_channels_are_not_made_where_these_are_elsewhere() -> None:
    done, _ = run([{**PRUNE, "sparsity": 0.5, "m_by_n": (2, 4)}], transposed)
    assert notes(done)["up"] == "left alone: m_by_n is not for the kernels of a Conv2DTranspose"


@pytest.mark.parametrize("kind", ["dynamic", pytest.param("weight_only", marks=pytest.mark.slow)])
def test_four_bits_leave_a_transposed_convolution_in_float(kind: str) -> None:
    _, found = run([], transposed, format=f"{kind}_wi4_afp32")
    types = {kernel.operator: kernel.tensor.dtype for kernel in found.kernels}
    assert types == {"CONV_2D": "int4", "TRANSPOSE_CONV": "float32", "FULLY_CONNECTED": "int4"}


def test_the_projections_of_an_attention_are_pruned_and_found_in_the_file() -> None:
    done, found = run([PRUNE], attention)
    assert notes(done)["mixed"].startswith("pruned query_dense.kernel")
    assert sorted(item.channels for item in done.expected if item.layer == "mixed") == [6, 8, 8, 10]
    matrices = [kernel.tensor for kernel in found.kernels if kernel.operator == "FULLY_CONNECTED"]
    assert all(tensor.zeros >= 0.74 for tensor in matrices)


@pytest.mark.parametrize("step", [PRUNE, pytest.param(CLUSTER, marks=pytest.mark.slow)], ids=["prune", "cluster"])
def test_recurrent_layers_are_left_alone_and_listed(step: dict[str, Any]) -> None:
    done, _ = run([step], recurrent)
    assert notes(done)["states"] == "left alone: the kernels of a GRU are not looked for in the file"
    assert notes(done)["last"] in {"pruned kernel", "clustered kernel"}


@pytest.mark.slow
def test_an_attention_is_left_alone_by_clustering() -> None:
    done, _ = run([CLUSTER], attention)
    assert notes(done)["mixed"] == "left alone: the kernels of a MultiHeadAttention are not looked for in the file"


@pytest.mark.parametrize("step", [PRUNE, pytest.param(CLUSTER, marks=pytest.mark.slow)], ids=["prune", "cluster"])
def test_what_a_network_had_frozen_is_changed_too(step: dict[str, Any]) -> None:
    def build() -> Any:
        model = sequential(layers.Conv2D(8, 3, name="frozen"), layers.GlobalAveragePooling2D())
        model.get_layer("frozen").trainable = False
        return model

    kernel = run([step], build)[0].model.get_layer("frozen").get_weights()[0]
    if step is PRUNE:
        assert np.mean(kernel == 0) >= 0.74
    else:
        assert max(len(np.unique(kernel[..., channel])) for channel in range(8)) <= 4


def test_a_frozen_normalisation_is_folded_and_measured() -> None:
    from jobs.optimize.batch_norm import reestimate
    from tests.unit.optimize.tiny import IMAGES

    def build() -> Any:
        parts = [layers.Conv2D(8, 3, name="first"), layers.BatchNormalization(name="norm", trainable=False)]
        return sequential(*parts, layers.GlobalAveragePooling2D())

    done, _, _ = attempt([{"pass": "fold_batch_norm"}], build)
    assert notes(done)["norm"] == "folded into first before it"
    assert [note.layer for note in reestimate(build(), IMAGES)[1]] == ["norm"]
