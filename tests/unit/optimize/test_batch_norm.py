"""Statistics measured anew: those of the network as it is now, through branches and from activations that are kept."""

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from jobs.optimize import batch_norm
from jobs.optimize.batch_norm import reestimate

IMAGES = np.random.default_rng(4).integers(0, 255, (70, 8, 8, 3), dtype=np.uint8)
SCALED: np.ndarray = IMAGES.astype(np.float32) / 255


def branched() -> tf_keras.Model:
    """Normalisations on a chain, inside a branch, where branches meet, and on a matrix."""
    tf_keras.utils.set_random_seed(2)
    given = layers.Input((8, 8, 3))
    stem = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(given)))
    branch = layers.Conv2D(4, 3, padding="same")(layers.BatchNormalization()(layers.Conv2D(4, 1)(stem)))
    joined = layers.BatchNormalization()(layers.Add()([stem, branch]))
    hidden = layers.BatchNormalization()(layers.Dense(6)(layers.Flatten()(joined)))
    return tf_keras.Model(given, layers.Dense(2, activation="softmax")(layers.Dropout(0.5)(hidden)))


@pytest.mark.parametrize("kept", [0, batch_norm.MOST_KEPT_BYTES])
def test_the_statistics_are_those_of_each_layers_inputs(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(batch_norm, "MOST_KEPT_BYTES", kept)
    model, notes = reestimate(branched(), IMAGES)
    found = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert [note.layer for note in notes] == [layer.name for layer in found]
    assert len(found) == 4
    for layer in found:
        inputs = tf_keras.Model(model.inputs, layer.input).predict(SCALED, verbose=0)
        axes = tuple(range(inputs.ndim - 1))
        assert np.asarray(layer.moving_mean) == pytest.approx(inputs.mean(axes), abs=1e-5)
        assert np.asarray(layer.moving_variance) == pytest.approx(inputs.var(axes), abs=1e-5)


def test_only_what_follows_from_a_tensor_alone_may_be_computed_from_it() -> None:
    model = branched()
    chain, inside, joined, matrix = (
        layer.input for layer in model.layers if isinstance(layer, layers.BatchNormalization)
    )
    separates = [batch_norm._separates(tensor, model.outputs) for tensor in (chain, inside, joined, matrix)]
    assert separates == [True, False, True, True]


def seen(layer: layers.BatchNormalization, *inputs: np.ndarray) -> None:
    """Its statistics are those of all these inputs together."""
    together = np.concatenate(inputs)
    axes = tuple(range(together.ndim - 1))
    assert np.asarray(layer.moving_mean) == pytest.approx(together.mean(axes), rel=1e-4, abs=1e-5)
    assert np.asarray(layer.moving_variance) == pytest.approx(together.var(axes), rel=1e-4, abs=1e-5)


def test_a_layer_that_is_called_twice_has_the_statistics_of_both_calls() -> None:
    given = layers.Input((8, 8, 3))
    shared = layers.BatchNormalization(name="shared")
    joined = layers.Concatenate()([shared(given), shared(given * 100.0)])
    model = tf_keras.Model(given, layers.Dense(2, activation="softmax")(layers.Flatten()(joined)))
    measured, notes = reestimate(model, IMAGES)
    seen(measured.get_layer("shared"), SCALED, SCALED * 100)
    assert notes[0].action == "statistics of 70 images, in 2 calls"


def test_statistics_inside_of_a_model_are_measured_too() -> None:
    inner = tf_keras.Sequential([layers.Input((8, 8, 3)), layers.BatchNormalization(name="inner")], name="backbone")
    inner.trainable = False
    outer = [layers.Flatten(), layers.Dense(2, activation="softmax")]
    measured, notes = reestimate(tf_keras.Sequential([layers.Input((8, 8, 3)), inner, *outer]), IMAGES)
    seen(measured.get_layer("inner"), SCALED)
    assert [note.layer for note in notes] == ["inner"]


def test_what_no_graph_shows_is_listed() -> None:
    norm = layers.BatchNormalization(name="each")
    model = tf_keras.Sequential([layers.Input((8, 8, 3)), layers.TimeDistributed(norm, name="rows"), layers.Flatten()])
    measured, notes = reestimate(model, IMAGES)
    assert not np.asarray(measured.get_layer("rows").layer.moving_mean).any()
    [note] = notes
    assert (note.layer, note.action) == ("each", "statistics left as they were: inside of rows (TimeDistributed)")


def test_channels_need_not_come_last() -> None:
    norm = layers.BatchNormalization(axis=1, name="rows")
    measured, _ = reestimate(tf_keras.Sequential([layers.Input((8, 8, 3)), norm, layers.Flatten()]), IMAGES)
    seen(measured.get_layer("rows"), np.moveaxis(SCALED, 1, -1))
