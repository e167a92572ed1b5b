"""Networks become files that run, or the line that says why not names the layer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from common.errors import EdgeproofError
from common.networks.convert import convert
from common.networks.culprit import culprit, part
from common.schema.convert import Convert, Format
from common.schema.network import Network
from common.tflite.predict import predict
from common.tflite.reader import inspect

SHAPE = (16, 16, 3)
IMAGES = np.random.default_rng(3).integers(0, 255, (20, *SHAPE), dtype=np.uint8)


def sequential(*parts: Any) -> Any:
    tf_keras.utils.set_random_seed(5)
    return tf_keras.Sequential([layers.Input(SHAPE), *parts, layers.Dense(2, activation="softmax", name="last")])


def attention() -> Any:
    tf_keras.utils.set_random_seed(5)
    images = layers.Input(SHAPE)
    words = layers.Reshape((-1, 8))(layers.Conv2D(8, 4, strides=4)(images))
    words = layers.LayerNormalization()(layers.Add()([words, layers.MultiHeadAttention(2, 4)(words, words)]))
    return tf_keras.Model(images, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(words)))


def lstm() -> Any:
    return sequential(layers.Reshape((16, 48)), layers.LSTM(6, name="memory"))


NETWORKS: dict[str, Callable[[], Any]] = {
    "LSTM": lstm,
    "GRU": lambda: sequential(layers.Reshape((16, 48)), layers.GRU(6)),
    "attention": attention,
    "normalised in groups": lambda: sequential(
        layers.Conv2D(8, 3), layers.GroupNormalization(4), layers.GlobalAveragePooling2D()
    ),
    "transposed": lambda: sequential(layers.Conv2DTranspose(4, 3, strides=2), layers.GlobalAveragePooling2D()),
    "preprocessing": lambda: sequential(
        layers.RandomFlip(),
        layers.RandomZoom(0.1),
        layers.Rescaling(2.0, offset=-1.0),
        layers.Resizing(12, 12),
        layers.Conv2D(4, 3),
        layers.GlobalAveragePooling2D(),
    ),
}


QUICK = ("LSTM", "attention")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
)
def test_the_file_answers_as_the_network_does(name: str) -> None:
    model = NETWORKS[name]()
    content = convert(model, Convert(format="float32"), IMAGES)
    asked = np.asarray(model(IMAGES.astype(np.float32) / np.float32(255), training=False))
    assert predict(content, IMAGES, workers=1) == pytest.approx(asked, abs=1e-5)


@pytest.mark.parametrize(
    "name", ["normalised in groups", "transposed", *(pytest.param(name, marks=pytest.mark.slow) for name in QUICK)]
)
def test_integers_are_taken_where_operators_want_a_size_that_is_fixed(name: str) -> None:
    model = NETWORKS[name]()
    found = inspect(convert(model, Convert(format="int8", integer_io=True, calibration_images=4), IMAGES))
    assert {port.dtype for port in (*found.inputs, *found.outputs)} == {"int8"}
    # Sizes that are computed while the file runs keep a delegate from the operators around them.
    assert "SHAPE" not in found.operators
    assert found.inputs[0].open_shape == ()


def test_an_lstm_begins_anew_with_every_image() -> None:
    """LiteRT's own operator goes on with the state that the image before left."""
    found = inspect(convert(lstm(), Convert(format="float32"), IMAGES))
    assert not any("SEQUENCE" in name for name in found.operators)


def test_a_network_without_such_operators_takes_any_number_of_images() -> None:
    model = sequential(layers.Conv2D(4, 3), layers.Flatten())
    assert inspect(convert(model, Convert(format="float32"), IMAGES)).inputs[0].open_shape == (-1, *SHAPE)


def _bessel() -> Any:
    import tensorflow as tf

    images = layers.Input(SHAPE)
    odd = tf.math.bessel_i0(layers.Conv2D(4, 3)(images))
    return tf_keras.Model(images, layers.Dense(2, activation="softmax")(layers.Flatten()(odd)))


@pytest.mark.parametrize(
    ("build", "format_", "told"),
    [
        (_bessel, "float32", "(TFOpLambda): Custom ops: BesselI0"),
        (_bessel, "dynamic_wi8_afp32", "(TFOpLambda): Custom ops: BesselI0"),
    ],
)
def test_a_network_that_cannot_be_converted_is_one_line_with_layer_and_operator(
    build: Callable[[], Any], format_: Format, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    model = build()
    capfd.readouterr()
    with pytest.raises(EdgeproofError) as caught:
        convert(model, Convert(format=format_), IMAGES)
    assert told in str(caught.value)
    assert f"cannot be converted to {format_}: layer '" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    # What the converter writes there itself fills screens.
    assert "loc(" not in capfd.readouterr().err


def test_the_culprit_is_the_layer_that_makes_the_difference() -> None:
    model = attention()
    count = len(model.layers) - 1
    names = [layer.name for layer in model.layers[1:]]
    for guilty in range(1, count + 1):
        asked: list[int] = []

        def refuses(layers_taken: int, guilty: int = guilty, asked: list[int] = asked) -> bool:
            asked.append(layers_taken)
            return layers_taken >= guilty

        assert culprit(model, refuses) == f"layer '{names[guilty - 1]}' ({type(model.layers[guilty]).__name__})"
        assert len(asked) <= 1 + int(np.ceil(np.log2(count)))
    assert culprit(model, lambda _: False) is None


def test_a_part_of_a_network_gives_what_the_rest_takes() -> None:
    model = attention()
    images = IMAGES.astype(np.float32) / 255
    # Convolution, Reshape and attention: the sum takes the outputs of both of the latter.
    cut = part(model, 3)
    assert [tensor.shape[1:] for tensor in cut.outputs] == [(16, 8), (16, 8)]
    whole = part(model, len(model.layers) - 1)
    assert np.asarray(whole(images, training=False)) == pytest.approx(np.asarray(model(images, training=False)))


@pytest.mark.slow
@pytest.mark.parametrize("format_", get_args(Format))
@pytest.mark.parametrize("architecture", ["FireDetectionNet", "CompactNet"])
def test_the_projects_own_networks_are_taken_in_every_format(architecture: str, format_: Format) -> None:
    from common.networks import build

    model = build(Network(architecture=architecture), SHAPE, 2, Path())
    convert(model, Convert(format=format_), IMAGES)
