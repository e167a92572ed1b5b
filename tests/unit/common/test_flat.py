"""A network that was put together in another way is taken over as one graph that computes the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from common.errors import UsageError
from common.networks.check import adopted
from common.networks.flat import flattened, is_flat, leaves

SHAPE, CLASSES = (16, 16, 3), 2
IMAGES = np.random.default_rng(7).random((4, *SHAPE), dtype=np.float32)


def head() -> list[Any]:
    return [layers.GlobalAveragePooling2D(), layers.Dense(CLASSES, activation="softmax")]


def backbone(name: str = "backbone") -> Any:
    parts = [layers.Conv2D(6, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
    model = tf_keras.Sequential([layers.Input(SHAPE), *parts], name=name)
    # Statistics that differ from those of a new layer.
    model.layers[1].set_weights([np.full(6, value, np.float32) for value in (1.5, 0.3, 0.2, 0.5)])
    return model


def answers(model: Any, *, training: bool = False) -> Any:
    return pytest.approx(np.asarray(model(IMAGES, training=training)), abs=1e-6)


def transfer() -> Any:
    """Keras' guide to transfer learning: augmentation, a frozen backbone that never trains, a head."""
    base = backbone()
    base.trainable = False
    images = layers.Input(SHAPE)
    augmented = tf_keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])(images)
    pool, dense = head()
    return tf_keras.Model(images, dense(pool(base(augmented, training=False))))


def stacked() -> Any:
    """Teachable Machine: a Sequential of Sequentials, the inner ones with another inside."""
    inner = tf_keras.Sequential([layers.Input(SHAPE), backbone(), layers.Conv2D(4, 1)], name="inner")
    model = tf_keras.Sequential([inner, tf_keras.Sequential([layers.Input((14, 14, 4)), *head()], name="head")])
    model.build((None, *SHAPE))
    return model


def twice() -> Any:
    """One backbone, two calls."""
    base, images = backbone(), layers.Input(SHAPE)
    joined = layers.Concatenate()([base(images), base(images * 0.5)])
    pool, dense = head()
    return tf_keras.Model(images, dense(pool(joined)))


def alike() -> Any:
    """Two backbones whose layers have the same names, which one graph cannot have."""
    images = layers.Input(SHAPE)
    parts = [tf_keras.Sequential([layers.Input(SHAPE), layers.Conv2D(4, 3, name="same")], name=name) for name in "ab"]
    pool, dense = head()
    return tf_keras.Model(images, dense(pool(layers.Add()([part(images) for part in parts]))))


def normalised() -> Any:
    scaling = layers.Normalization()
    scaling.adapt(IMAGES * 3 + 5)
    return tf_keras.Sequential([layers.Input(SHAPE), scaling, layers.Conv2D(4, 3), *head()])


@pytest.mark.parametrize("build", [transfer, stacked, twice, alike, normalised])
def test_the_function_stays_the_same(build: Callable[[], Any]) -> None:
    model = build()
    flat = flattened(model)
    assert is_flat(flat)
    assert not any(isinstance(layer, tf_keras.Model) for layer in flat.layers)
    assert np.asarray(flat(IMAGES, training=False)) == answers(model)
    copy = tf_keras.models.clone_model(flat)
    copy.set_weights(flat.get_weights())
    assert np.asarray(copy(IMAGES, training=False)) == answers(model)


def test_layers_keep_their_names_where_these_are_free() -> None:
    model = stacked()
    assert [layer.name for layer in leaves(flattened(model))] == [layer.name for layer in leaves(model)]
    same = [layer.name for layer in leaves(flattened(alike())) if "same" in layer.name]
    assert same == ["same", "b_same"]


def test_a_frozen_backbone_stays_frozen_and_never_trains() -> None:
    flat = flattened(transfer())
    frozen = [layer for layer in flat.layers if layer.weights and not layer.trainable]
    assert [type(layer).__name__ for layer in frozen] == ["Conv2D", "BatchNormalization"]
    assert len(flat.trainable_weights) == 2
    inside = backbone()
    images = layers.Input(SHAPE)
    pool, dense = head()
    unfrozen = flattened(tf_keras.Model(images, dense(pool(inside(images, training=False)))))
    # In training too, its statistics are those that it came with.
    assert np.asarray(unfrozen(IMAGES, training=True)) == answers(unfrozen)


def test_a_layer_of_a_model_that_is_called_twice_stays_one_layer() -> None:
    flat = flattened(twice())
    assert sum(isinstance(layer, layers.Conv2D) for layer in flat.layers) == 1
    assert flat.count_params() == twice().count_params()


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_other_numbers_become_float32(policy: str) -> None:
    tf_keras.mixed_precision.set_global_policy(policy)
    try:
        parts = [layers.Conv2D(4, 3), layers.TimeDistributed(layers.Dense(5)), *head()]
        model = tf_keras.Sequential([layers.Input(SHAPE), *parts, layers.Activation("linear", dtype="float32")])
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    assert not is_flat(model)
    flat = adopted(model, "mine", SHAPE, CLASSES)
    assert is_flat(flat)
    parts = [part for part in flat.submodules if isinstance(part, layers.Layer)]
    assert {part.compute_dtype for part in parts} == {"float32"}
    assert {weight.dtype.name for weight in flat.weights} == {"float32"}
    assert np.asarray(flat(IMAGES)) == pytest.approx(np.asarray(model(IMAGES)), abs=0.02)


@pytest.mark.parametrize("given", [(None, None, None, 3), (1, *SHAPE), (32, None, 16, 3)])
def test_an_input_of_any_size_or_of_fixed_batches_takes_the_images(given: tuple[int | None, ...]) -> None:
    images = layers.Input(given[1:], batch_size=given[0])
    pool, dense = head()
    model = tf_keras.Model(images, dense(pool(layers.Conv2D(4, 3)(images))))
    flat = adopted(model, "mine", SHAPE, CLASSES)
    assert flat.input_shape == (None, *SHAPE)
    again = [weight.shape for weight in flat.get_weights()]
    assert again == [weight.shape for weight in model.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(flat.get_weights(), model.get_weights(), strict=True))


def test_a_network_that_is_one_graph_already_is_taken_as_it_is() -> None:
    model = tf_keras.Sequential([layers.Input(SHAPE), layers.Conv2D(4, 3), *head()])
    assert adopted(model, "mine", SHAPE, CLASSES) is model


def _stateful() -> Any:
    images = layers.Input(SHAPE, batch_size=2)
    states = layers.LSTM(4, stateful=True, name="memory")(layers.Reshape((16, 48))(images))
    return tf_keras.Model(images, layers.Dense(CLASSES, activation="softmax")(states))


def _of_pixels() -> Any:
    images = layers.Input(SHAPE, dtype="uint8")
    pool, dense = head()
    return tf_keras.Model(images, dense(pool(layers.Rescaling(1 / 255)(images))))


def _subclassed_inside() -> Any:
    class Own(tf_keras.Model):  # type: ignore[misc]
        def call(self, given: Any) -> Any:
            return given

    images = layers.Input(SHAPE)
    pool, dense = head()
    return tf_keras.Model(images, dense(pool(Own(name="odd")(images))))


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (_stateful, "mine: layer 'memory' (LSTM) keeps its state from one batch of images to the next"),
        (_of_pixels, "mine takes uint8, but the experiment's images are real numbers from 0 to 1"),
        (_subclassed_inside, "mine has the layer 'odd' of its own class"),
    ],
)
def test_what_cannot_be_taken_over_is_told_by_its_layer(build: Callable[[], Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        adopted(build(), "mine", SHAPE, CLASSES)
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
