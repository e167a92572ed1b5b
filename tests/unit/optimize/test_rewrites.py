"""Rewrites keep the function: the same outputs on the same inputs, for random weights and statistics."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from common.errors import UsageError
from common.networks.convert import convert
from common.schema.convert import Convert
from common.schema.network import Network
from common.schema.recipe import FoldBatchNorm, MergeSeparable
from common.tflite.reader import inspect
from jobs.optimize.layers import Shift
from jobs.optimize.passes import fold_batch_norm, merge_separable

MERGE = MergeSeparable.model_validate({"pass": "merge_separable"})
FOLD = FoldBatchNorm.model_validate({"pass": "fold_batch_norm"})
SIDE = 12


def shuffled(model: Any, seed: int = 1) -> Any:
    """The model with random weights; BatchNormalization's scales and variances positive."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        weights = [random.normal(0, 0.5, weight.shape) for weight in layer.get_weights()]
        if isinstance(layer, layers.BatchNormalization):
            weights[-1] = random.uniform(0.3, 2.0, weights[-1].shape)
            if layer.scale:
                weights[0] = random.uniform(0.3, 2.0, weights[0].shape)
        layer.set_weights(weights)
    return model


def net(*parts: Any) -> Any:
    return tf_keras.Sequential([layers.Input((SIDE, SIDE, 3)), *parts])


def pictures() -> np.ndarray:
    return np.random.default_rng(2).random((5, SIDE, SIDE, 3), dtype=np.float32)


def outputs(model: Any) -> np.ndarray:
    # Called, not predicted: TensorFlow would trace each of these models for one batch.
    return np.asarray(model(pictures(), training=False))


def assert_same(before: np.ndarray, after: np.ndarray) -> None:
    assert np.abs(before - after).max() <= 1e-5 * max(1.0, np.abs(before).max())


def actions(notes: Sequence[Any]) -> list[str]:
    return [note.action for note in notes]


CASES: dict[str, tuple[Callable[[], Any], int, str]] = {
    "conv, bn": (lambda: net(layers.Conv2D(4, 3), layers.BatchNormalization()), 0, "before it"),
    "conv without bias, bn": (lambda: net(layers.Conv2D(4, 3, use_bias=False), layers.BatchNormalization()), 0, "fold"),
    "depthwise, bn": (
        lambda: net(layers.DepthwiseConv2D(3, depth_multiplier=2), layers.BatchNormalization()), 0, "before it",
    ),
    "separable, bn without scale": (
        lambda: net(layers.SeparableConv2D(4, 3), layers.BatchNormalization(scale=False)), 0, "before it",
    ),
    "relu, bn, valid conv": (
        lambda: net(layers.ReLU(), layers.BatchNormalization(), layers.Conv2D(4, 3)), 0, "after it",
    ),
    "relu, bn, valid separable": (
        lambda: net(layers.ReLU(), layers.BatchNormalization(), layers.SeparableConv2D(4, 3, use_bias=False)), 0, "",
    ),
    "relu, bn, valid depthwise": (
        lambda: net(layers.ReLU(), layers.BatchNormalization(), layers.DepthwiseConv2D(3, depth_multiplier=2)), 0, "",
    ),
    "relu, bn, padded conv": (
        lambda: net(layers.ReLU(), layers.BatchNormalization(), layers.Conv2D(4, 3, padding="same")), 1, "shift kept",
    ),
    "relu, bn, pool, padded separable": (
        lambda: net(
            layers.ReLU(), layers.BatchNormalization(), layers.MaxPooling2D(2),
            layers.SeparableConv2D(4, 3, padding="same"),
        ), 1, "shift kept",
    ),
    "relu, bn, pool, flatten, dropout, dense": (
        lambda: net(
            layers.ReLU(), layers.BatchNormalization(), layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.5),
            layers.Dense(4),
        ), 0, "after it",
    ),
    "relu, bn at the end": (lambda: net(layers.ReLU(), layers.BatchNormalization()), 1, "no layer with weights"),
    "bn, relu": (
        lambda: net(layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(4, 3)), 1, "stands between",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_folding_keeps_the_function(name: str) -> None:
    build, left, told = CASES[name]
    model = shuffled(build())
    before = outputs(model)
    done = fold_batch_norm.apply(model, FOLD)
    folded, notes = done.model, done.notes
    assert_same(before, outputs(folded))
    assert sum(isinstance(layer, layers.BatchNormalization | Shift) for layer in folded.layers) == left
    assert told in actions(notes)[0]


def test_a_negative_scale_does_not_go_past_max_pooling() -> None:
    parts = (layers.ReLU(), layers.BatchNormalization(), layers.MaxPooling2D(2), layers.Conv2D(4, 3))
    model = shuffled(net(*parts))
    normalization = model.layers[1]
    normalization.gamma.assign(-normalization.gamma)
    before = outputs(model)
    done = fold_batch_norm.apply(model, FOLD)
    folded, notes = done.model, done.notes
    assert_same(before, outputs(folded))
    assert "not positive" in actions(notes)[0]


def test_only_the_layers_that_are_named_are_rewritten() -> None:
    def two() -> Any:
        first, second = (layers.SeparableConv2D(4, 3, name=name) for name in ("first", "second"))
        return net(first, layers.BatchNormalization(name="one"), second, layers.BatchNormalization(name="two"))

    model = shuffled(two())
    before = outputs(model)
    merged = merge_separable.apply(model, MERGE.model_copy(update={"layers": ("sec*",)}))
    assert [type(layer).__name__ for layer in merged.model.layers[1::2]] == ["SeparableConv2D", "Conv2D"]
    assert [note.changed for note in merged.notes] == [False, True]
    folded = fold_batch_norm.apply(merged.model, FOLD.model_copy(update={"layers": ("one",)}))
    assert [note.changed for note in folded.notes] == [True, False]
    assert folded.notes[1].action == "left alone: as the recipe says"
    assert_same(before, outputs(folded.model))
    with pytest.raises(UsageError, match=r"fold_batch_norm: no layer is named like 'thre\*'"):
        fold_batch_norm.apply(merged.model, FOLD.model_copy(update={"layers": ("thre*",)}))


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_merging_keeps_the_function(strides: int, multiplier: int) -> None:
    first = layers.SeparableConv2D(
        6, 5, strides=strides, padding="same", depth_multiplier=multiplier, activation="relu"
    )
    model = shuffled(net(first, layers.SeparableConv2D(4, 3)))
    before = outputs(model)
    done = merge_separable.apply(model, MERGE)
    merged, notes = done.model, done.notes
    assert_same(before, outputs(merged))
    assert [type(layer).__name__ for layer in merged.layers[1:]] == ["Conv2D", "SeparableConv2D"]
    assert "6 input channels" in actions(notes)[1]


def test_fire_detection_net_loses_its_multiplications() -> None:
    from common.networks import build

    model = shuffled(build(Network(), (32, 32, 3), 2, Path()))
    images = np.random.default_rng(3).random((4, 32, 32, 3), dtype=np.float32)
    before = np.asarray(model(images, training=False))
    plain = inspect(convert(model, Convert(format="float32"), np.zeros((1, 32, 32, 3), np.uint8))).operators
    merged = merge_separable.apply(model, MERGE).model
    folded = fold_batch_norm.apply(merged, FOLD).model
    assert_same(before, np.asarray(folded(images, training=False)))
    found = inspect(convert(folded, Convert(format="float32"), np.zeros((1, 32, 32, 3), np.uint8))).operators
    assert plain["MUL"] >= 4
    assert "MUL" not in found
    assert found["ADD"] == 3
    assert found["DEPTHWISE_CONV_2D"] == plain["DEPTHWISE_CONV_2D"] - 1


def branching() -> Any:
    """Two paths that meet, each with a BatchNormalization; one follows a place where the paths part."""
    start = layers.Input((SIDE, SIDE, 3))
    stem = layers.ReLU()(layers.BatchNormalization(name="stem_bn")(layers.Conv2D(4, 3, padding="same")(start)))
    left = layers.BatchNormalization(name="left_bn")(layers.Conv2D(4, 3, padding="same", use_bias=False)(stem))
    right = layers.ReLU()(layers.BatchNormalization(name="parted_bn")(stem))
    return tf_keras.Model(start, layers.Dense(2)(layers.Flatten()(layers.Add()([left, right]))))


def test_folding_and_merging_follow_branches() -> None:
    model = shuffled(branching())
    before = outputs(model)
    done = fold_batch_norm.apply(model, FOLD)
    assert_same(before, outputs(done.model))
    told = {note.layer: note.action for note in done.notes}
    assert told["stem_bn"].startswith("folded into conv2d")
    assert "before it" in told["left_bn"]
    assert told["parted_bn"].startswith("left alone")


def test_a_layer_that_is_used_twice_is_left_alone() -> None:
    start = layers.Input((SIDE, SIDE, 3))
    twice, normalization = layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization()
    model = shuffled(tf_keras.Model(start, normalization(twice(twice(start)))))
    before = outputs(model)
    done = fold_batch_norm.apply(model, FOLD)
    assert_same(before, outputs(done.model))
    assert actions(done.notes) == ["left alone: no layer with weights follows it alone"]


def test_what_inference_does_not_need_is_not_in_the_file() -> None:
    """The converter takes it out; no pass of ours has to."""

    def kinds(*training_only: Any) -> list[str]:
        before, between = training_only[:3], training_only[3:]
        model = net(*before, layers.Conv2D(4, 3), layers.Flatten(), *between, layers.Dense(2, activation="softmax"))
        file = convert(model, Convert(format="float32"), pictures())
        return list(inspect(file).operators)

    augmenting = layers.RandomFlip(), layers.RandomRotation(0.1), layers.GaussianNoise(0.1)
    regularising = layers.Dropout(0.5), layers.ActivityRegularization(0.1), layers.Activation("linear")
    assert kinds(*augmenting, *regularising) == kinds()
