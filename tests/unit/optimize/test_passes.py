"""Passes on small networks, from the recipe to what stands in the file."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from common.errors import UsageError
from common.networks.convert import convert
from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.tflite.reader import inspect
from jobs.optimize import passes
from tests.unit.optimize.tiny import (
    CONVOLUTION_AND_MATRIX,
    IMAGES,
    NARROW,
    POOLED,
    SIDE,
    TUNER,
    built,
    network,
    notes,
    run,
    zeros,
)


def test_polynomial_decay_reaches_its_sparsity() -> None:
    prune = {"pass": "prune", "schedule": "polynomial", "sparsity": 0.75, "initial_sparsity": 0.2, "frequency": 1}
    done, _ = run([{**prune, "epochs": 2}], built("flat", "wide", "last"))
    assert zeros(done.model, "wide") == pytest.approx(0.75, abs=0.01)


def test_a_schedule_without_room_is_refused() -> None:
    with pytest.raises(UsageError, match="the fine-tuning has 4 steps"):
        run([{"pass": "prune", "schedule": "polynomial", "frequency": 100}], built("flat", "wide", "last"))


def test_layers_have_a_sparsity_of_their_own() -> None:
    done, _ = run([{"pass": "prune", "frequency": 1, "layers": {"wide": 0.9, "la*": 0}}])
    assert zeros(done.model, "wide") == pytest.approx(0.9, abs=0.01)
    assert zeros(done.model, "pointwise") == pytest.approx(0.5, abs=0.01)
    assert zeros(done.model, "last") < 0.1
    assert notes(done)["last"] == "left alone: as the recipe says"


@pytest.mark.parametrize("step", [{"pass": "prune"}, {"pass": "cluster"}])
def test_a_pattern_that_matches_no_layer_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no layer is named like 'dense_7'"):
        run([{**step, "layers": {"dense_7": 0}}], built("flat", "wide", "last"))


def test_two_of_every_four_weights_are_zero() -> None:
    done, _ = run([{"pass": "prune", "m_by_n": (2, 4), "frequency": 1}], CONVOLUTION_AND_MATRIX)
    groups = done.model.get_layer("wide").get_weights()[0].T.reshape(-1, 4)
    assert (np.sum(groups == 0, axis=1) >= 2).all()
    assert {item.claim for item in done.expected} == {"sparsity", "groups"}
    assert "3 input channels cannot be grouped evenly" in notes(done)["first"]


def test_blocks_are_pruned_as_a_whole_in_matrices() -> None:
    done, _ = run([{"pass": "prune", "block": (4, 1), "frequency": 1}], CONVOLUTION_AND_MATRIX)
    blocks = done.model.get_layer("wide").get_weights()[0].T.reshape(-1, 4)
    assert set(np.sum(blocks == 0, axis=1)) == {0, 4}
    assert "not a matrix" in notes(done)["first"]


def test_pruning_stays_where_tfmot_knows_no_layer() -> None:
    class Unknown(layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    def build() -> Any:
        return tf_keras.Sequential([layers.Input((SIDE, SIDE, 3)), Unknown(), layers.Flatten(), layers.Dense(2)])

    done, _ = run([{"pass": "prune", "frequency": 1}], build)
    assert notes(done)["unknown"] == "left alone: no weights"


def test_a_lambda_is_not_left_in_float() -> None:
    def build() -> Any:
        tf_keras.utils.set_random_seed(5)
        stack = [layers.Conv2D(8, 3, activation="relu"), layers.Lambda(lambda x: x * 2, name="twice"), layers.Flatten()]
        return tf_keras.Sequential([layers.Input((SIDE, SIDE, 3)), *stack, layers.Dense(2, activation="softmax")])

    done, found = run([{"pass": "quantize_aware"}], build, format="int8")
    # The converter may multiply the constant into a kernel.
    assert notes(done)["twice"].startswith(("int8 by calibration", "no operator of its own in the file"))
    assert found.proof.int8_operator_share == 1


def test_clustering_a_convolution_without_bias_is_not_skipped() -> None:
    done, _ = run([{"pass": "cluster", "clusters": 4}], built("first", "relu", "pool", "last"))
    assert len(np.unique(done.model.get_layer("first").get_weights()[0])) <= 4
    assert notes(done)["first"] == "clustered kernel as a whole"


def test_clusters_and_zeros_survive_together() -> None:
    done, _ = run(
        [
            {"pass": "prune", "frequency": 1},
            {"pass": "cluster", "clusters": 6, "preserve_sparsity": True, "layers": {"narrow": 3}},
        ],
        NARROW,
    )
    assert zeros(done.model, "wide") >= 0.49
    kernel = done.model.get_layer("narrow").get_weights()[0]
    assert max(len(np.unique(kernel[..., channel])) for channel in range(8)) <= 3


def test_channels_of_few_weights_are_clustered_as_a_whole() -> None:
    """tfmot stops where a channel has fewer weights left than clusters."""
    done, _ = run(
        [
            {"pass": "prune", "sparsity": 0.9, "frequency": 1},
            {"pass": "cluster", "clusters": 8, "preserve_sparsity": True},
        ],
        built("second", "pointwise", "relu", "pool", "last"),
    )
    kernel = done.model.get_layer("pointwise").get_weights()[0]
    assert notes(done)["pointwise"] == "clustered kernel as a whole"
    assert len(np.unique(kernel)) <= 8
    assert zeros(done.model, "pointwise") >= 0.89


@pytest.mark.parametrize("rule", [{"rank": 4}, {"energy": 0.6}])
def test_factorised_layers_are_two_thin_ones_in_the_file(rule: dict[str, Any]) -> None:
    done, found = run([{"pass": "factorize", "min_weights": 600, **rule}])
    kernel = done.model.get_layer("wide_u").get_weights()[0]
    assert (32, kernel.shape[1]) in [tensor.shape for tensor in found.tensors]
    assert notes(done)["pointwise"].startswith("rank")
    assert notes(done)["first"] == "left alone: larger than 1 x 1, and no spatial_rank is given"
    assert notes(done)["second"] == "left alone: neither a dense layer nor a plain convolution"
    assert notes(done)["last"].startswith("left alone: 64 weights")


def test_a_layer_may_have_a_rank_of_its_own() -> None:
    ranks = {"wide": 2, "point*": 0, "first": 3}
    done, found = run([{"pass": "factorize", "rank": 4, "min_weights": 600, "layers": ("last",), "ranks": ranks}])
    assert done.model.get_layer("wide_u").get_weights()[0].shape[1] == 2
    assert (3, 3, 1, 3) in [kernel.tensor.shape for kernel in found.kernels]
    assert notes(done)["pointwise"] == "left alone: as the recipe says"
    assert {note.layer for note in done.notes if note.changed} == {"wide", "first"}


def test_a_factorised_layer_of_full_rank_is_the_same_function() -> None:
    from common.schema.recipe import Factorize
    from jobs.optimize.graph import Graph
    from jobs.optimize.passes.factorize import factors

    model = network()
    settings = Factorize.model_validate({"pass": "factorize", "rank": 32, "spatial_rank": 48})
    graph = Graph(model)
    edits = {name: factors(model.get_layer(name), settings)[0] for name in ("wide", "pointwise", "first")}
    images = IMAGES.astype(np.float32) / 255
    rebuilt, expected = (np.asarray(net(images, training=False)) for net in (graph.rebuild(edits), model))
    assert rebuilt == pytest.approx(expected, abs=1e-5)


def test_a_convolution_becomes_a_column_and_a_row_in_the_file() -> None:
    done, found = run([{"pass": "factorize", "spatial_rank": 4}], CONVOLUTION_AND_MATRIX)
    shapes = [kernel.tensor.shape for kernel in found.kernels]
    assert (4, 3, 1, 3) in shapes
    assert (16, 1, 3, 4) in shapes
    assert notes(done)["wide"] == "left alone: neither rank nor energy is given"


def test_a_rank_that_saves_nothing_leaves_the_layer_alone() -> None:
    done, _ = run([{"pass": "factorize", "rank": 31, "min_weights": 600}], built("second", "pointwise", "pool", "last"))
    assert notes(done)["pointwise"] == "left alone: two factors of rank 24 would hold no fewer weights"


def test_quantisation_aware_training_makes_an_int8_file() -> None:
    build = built("first", "norm", "relu", "second", "relu", "norm", "pool", "last")
    done, found = run([{"pass": "quantize_aware"}], build, format="int8", integer_io=True)
    assert {kernel.tensor.dtype for kernel in found.kernels} == {"int8"}
    assert found.inputs[0].dtype == "int8"
    assert notes(done)["second"] == "quantised"
    assert "written as a 1 x 1 depthwise convolution" in [note.action for note in done.notes]


def test_what_the_converter_has_in_float_only_is_listed() -> None:
    def build() -> Any:
        start = layers.Input((SIDE, SIDE, 3))
        body = layers.Conv2D(8, 3, activation="elu", name="odd")(start)
        gated = layers.Multiply(name="gate")([body, layers.Conv2D(8, 1, name="side")(body)])
        return tf_keras.Model(start, layers.Dense(2, activation="softmax")(layers.Flatten()(gated)))

    done, found = run([{"pass": "quantize_aware"}], build, format="int8")
    assert notes(done)["odd_elu"] == "left in float: tfmot has no quantised elu"
    assert [notes(done)[name] for name in ("odd", "gate", "side")] == ["quantised"] * 3
    assert {kernel.tensor.dtype for kernel in found.kernels} == {"int8"}


PRUNED = {"pass": "prune", "frequency": 1}


@pytest.mark.parametrize(
    ("steps", "build"),
    [
        ([PRUNED, {"pass": "quantize_aware", "preserve": "sparsity"}], NARROW),
        ([{"pass": "cluster"}, {"pass": "quantize_aware", "preserve": "clusters"}], NARROW),
        pytest.param(
            [
                PRUNED,
                {"pass": "cluster", "preserve_sparsity": True},
                {"pass": "quantize_aware", "preserve": "sparsity_and_clusters"},
            ],
            POOLED,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["PQAT", "CQAT", "PCQAT"],
)
def test_collaborative_training_keeps_what_was_there(steps: list[dict[str, Any]], build: Callable[[], Any]) -> None:
    done, _ = run([{"pass": "fold_batch_norm"}, *steps], build, format="int8")
    made = {"sparsity" if "frequency" in step else "clusters" for step in steps[:-1]}
    assert {item.claim for item in done.expected} == made


def test_zeros_hold_through_steps_that_are_large() -> None:
    # With tfmot's mask alone, pruned weights wander off as soon as a step is larger than half an int8 step.
    aware = {"pass": "quantize_aware", "preserve": "sparsity", "learning_rate": 0.01, "epochs": 2}
    run(
        [{"pass": "fold_batch_norm"}, PRUNED, aware],
        built("first", "norm", "relu", "flat", "wide", "last"),
        format="int8",
    )


@pytest.mark.parametrize("bits", ["wi8", "wi4"])
@pytest.mark.parametrize("kind", ["dynamic", "weight_only"])
def test_litert_quantizer_stores_few_bits(kind: str, bits: str) -> None:
    _, found = run([], CONVOLUTION_AND_MATRIX, format=f"{kind}_{bits}_afp32")
    widest = max(found.kernels, key=lambda kernel: kernel.tensor.elements)
    assert widest.tensor.dtype == {"wi8": "int8", "wi4": "int4"}[bits]


def test_int16x8_keeps_activations_in_sixteen_bits() -> None:
    build = built("first", "norm", "relu", "flat", "wide", "last")
    _, found = run([{"pass": "fold_batch_norm"}], build, format="int16x8", integer_io=True)
    assert {port.dtype for port in (*found.inputs, *found.outputs)} == {"int16"}
    assert {kernel.tensor.dtype for kernel in found.kernels} == {"int8"}


@pytest.fixture(scope="module")
def sparse_network() -> Any:
    """Pruned to nine tenths, for conversions that leave it as it is."""
    (prune,) = Recipe.model_validate(
        {"passes": ({**PRUNED, "epochs": 1, "sparsity": 0.9},), "convert": {"format": "float32"}}
    ).passes
    return passes.apply(built("second", "pointwise", "relu", "flat", "wide", "last")(), prune, TUNER).model


@pytest.mark.parametrize("format", ["float32", "float16"])
def test_sparse_files_are_smaller_and_hold_the_same_zeros(
    sparse_network: Any, format: Literal["float32", "float16"]
) -> None:
    dense = convert(sparse_network, Convert(format=format), IMAGES)
    sparse = convert(sparse_network, Convert(format=format, sparse=True), IMAGES)
    assert len(sparse) < len(dense)
    kernels = {kernel.tensor.shape: kernel.tensor.zeros for kernel in inspect(sparse).kernels}
    assert kernels == {kernel.tensor.shape: kernel.tensor.zeros for kernel in inspect(dense).kernels}


def test_a_sparse_file_that_would_be_larger_is_not_made() -> None:
    model = CONVOLUTION_AND_MATRIX()
    dense = convert(model, Convert(format="float32"), IMAGES)
    assert convert(model, Convert(format="float32", sparse=True), IMAGES) == dense
