"""Every way to name a network leads to a classifier, or to one line that says why not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from pydantic import ValidationError

from common.errors import UsageError
from common.networks import build
from common.schema.network import APPLICATIONS, Network
from common.trust import VARIABLE

SHAPE, CLASSES = (32, 32, 3), 3
GOOD = """
import tf_keras
from tf_keras import layers
def build(input_shape, classes):
    return tf_keras.Sequential([
        layers.Input(input_shape), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(),
        layers.Dense(classes, activation="softmax"),
    ])
"""
# The same with other inputs and outputs.
TWICE = GOOD.replace("return tf", "model = tf") + "    return tf_keras.Model({})\n"


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")


def outputs(model: tf_keras.Model, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    return np.asarray(model(np.random.default_rng(1).random((2, *shape), dtype=np.float32), training=False))


def made(architecture: str, folder: Path = Path(), **settings: float) -> tf_keras.Model:
    network = Network.model_validate({"architecture": architecture, **settings})
    return build(network, SHAPE, CLASSES, folder)


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("EfficientNetB0", "RegNetX002", "NASNetMobile")]


@pytest.mark.parametrize("architecture", ["FireDetectionNet", "CompactNet", "MobileNet", *SLOW])
def test_a_name_gives_probabilities_for_each_class(architecture: str) -> None:
    given = outputs(made(architecture))
    assert given.shape == (2, CLASSES)
    assert given.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)


def test_the_names_are_those_of_keras() -> None:
    keras = {name for name in dir(tf_keras.applications) if name[0].isupper()}
    assert keras - set(APPLICATIONS) == {f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")}
    assert set(APPLICATIONS) <= keras


@pytest.mark.slow
def test_an_application_sees_a_difference_between_images_in_0_to_1() -> None:
    # With its own division by 255, EfficientNetB0 would take black and white for nearly the same.
    model = made("EfficientNetB0")
    first = tf_keras.Model(model.input, model.get_layer("stem_conv").output)
    image = np.stack([np.zeros(SHAPE, np.float32), np.ones(SHAPE, np.float32)])
    black, white = np.asarray(first.predict_on_batch(image))
    assert np.abs(white - black).max() > 0.05


def test_compact_net_is_made_of_what_runtimes_fold_and_run_fast() -> None:
    model = made("CompactNet")
    kinds = [type(layer).__name__ for layer in model.layers]
    for index, kind in enumerate(kinds):
        if kind == "BatchNormalization":
            assert kinds[index - 1] in {"Conv2D", "DepthwiseConv2D"}
            assert not model.layers[index - 1].use_bias
    assert "Flatten" not in kinds
    assert build(Network(architecture="CompactNet"), (128, 128, 3), 2, Path()).count_params() < 20_000


@pytest.mark.parametrize(("side", "last"), [(16, 8), (32, 8), (96, 12), (128, 8), (224, 14)])
def test_compact_net_strides_where_the_map_is_large(side: int, last: int) -> None:
    model = build(Network(architecture="CompactNet"), (side, side, 3), 2, Path())
    assert model.get_layer("pool").input_shape[1] == last


def test_width_scales_every_layer_and_stride_the_first() -> None:
    parameters = [made("CompactNet", width=width).count_params() for width in (0.5, 1.0, 2.0)]
    assert parameters[0] * 2 < parameters[1] < parameters[2] / 2
    assert made("CompactNet", stride=1).get_layer("stem").output_shape[1:3] == (32, 32)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"architecture": "MobilNetV2"}, "did you mean MobileNetV2?"),
        ({"architecture": "./mine.TFLite"}, "mine.TFLite: a .tflite file cannot be trained"),
        ({"architecture": "mine.onnx"}, "export it to a .tflite file first"),
        ({"architecture": "my_net"}, "a path (with a slash, or ending with .py, .h5, .keras)"),
        ({"architecture": "MobileNet", "width": 0.5}, "width is a setting of CompactNet, not of MobileNet"),
        ({"architecture": "FireDetectionNet", "stride": 1}, "stride is a setting of CompactNet"),
        ({"architecture": "a/net.h5", "batch_norm_momentum": 0.9}, "FireDetectionNet and CompactNet, not of a/net.h5"),
    ],
)
def test_a_mistake_is_found_before_tensorflow_is_loaded(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Network.model_validate(settings)
    assert told in str(caught.value)


def test_images_too_small_for_an_application_are_refused() -> None:
    with pytest.raises(UsageError, match="InceptionV3 cannot be built: Input size must be at least 75x75"):
        made("InceptionV3")


def test_a_python_file_builds_the_network(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(GOOD, encoding="utf-8")
    assert outputs(made("./net.py", tmp_path)).shape == (2, CLASSES)
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]


@pytest.mark.parametrize("name", ["net.h5", "net.keras", "folder/"])
def test_a_saved_model_comes_with_its_weights(tmp_path: Path, name: str) -> None:
    layers = [tf_keras.layers.Conv2D(4, 3), tf_keras.layers.BatchNormalization(), tf_keras.layers.Flatten()]
    last = tf_keras.layers.Dense(CLASSES, activation="softmax")
    model = tf_keras.Sequential([tf_keras.layers.Input(SHAPE), *layers, last])
    model.save(tmp_path / name)
    assert np.array_equal(outputs(made(name, tmp_path)), outputs(model))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "has no function build(input_shape, classes)"),
        ("def build(", "net.py: SyntaxError"),
        ("import nothing_of_this_name", "net.py, line 1: ModuleNotFoundError"),
        ("def build(shape, classes):\n    return 1 / 0", "net.py, line 2: ZeroDivisionError: division by zero"),
        ("def build(shape, classes):\n    raise SystemExit(3)", "net.py, line 2: SystemExit: 3"),
        ("def build(shape, classes):\n    return 5", "gave a builtins.int, not a tf_keras.Model"),
        (GOOD.replace("input_shape)", "(8, 8, 3))", 1).replace("build((8, 8, 3)):", "build(input_shape, classes):"),
         "takes inputs n x 8 x 8 x 3, but the experiment's images are n x 32 x 32 x 3"),
        (
            "import tf_keras\nclass Net(tf_keras.Model): ...\ndef build(shape, classes):\n    return Net()",
            "gave the subclassed model Net",
        ),
        (GOOD.replace("Dense(classes", "Dense(7"), "gives outputs n x 7, but the 3 classes need n x 3"),
        (TWICE.format("[model.inputs[0], tf_keras.Input((2,))], model.output"), "takes 2 inputs, but an image is one"),
        (TWICE.format("model.inputs, [model.output, model.output]"), "gives 2 outputs, but the classes' probabilities"),
        (GOOD.replace('"softmax"', '"sigmoid"'), "does not give probabilities"),
        (GOOD.replace("layers.Conv2D(4, 3)", "type('Own', (layers.Layer,), {'__module__': 'mine'})(name='odd')"),
         "has the layer 'odd' of its own class Own"),
    ],
)  # fmt: skip
def test_a_python_file_that_is_wrong_is_told_by_name(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        made("net.py", tmp_path)
    assert told in str(caught.value)
    assert str(tmp_path / "net.py") in str(caught.value)


def test_a_saved_model_that_is_none_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UsageError, match=r"net\.h5 is no Keras model that can be loaded: OSError"):
        made("net.h5", tmp_path)
    (tmp_path / "net.h5").write_bytes(b"\x1c\0\0\0TFL3" + bytes(64))
    with pytest.raises(UsageError, match=r'net\.h5 is a \.tflite file: .* file = "FILE"'):
        made("net.h5", tmp_path)
    (tmp_path / "net.keras").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(UsageError, match=r"net\.keras is a Git LFS pointer"):
        made("net.keras", tmp_path)
    model = tf_keras.Sequential([tf_keras.layers.Input(SHAPE), tf_keras.layers.Dense(2)])
    for name in ("old.h5", "new.weights.h5"):
        model.save_weights(tmp_path / name)
        with pytest.raises(UsageError, match=rf"{name} holds weights alone, .*save the whole model: model\.save"):
            made(name, tmp_path)
    with pytest.raises(UsageError, match=r"gone\.h5 does not exist"):
        made("gone.h5", tmp_path)
    with pytest.raises(UsageError, match=r"without saved_model\.pb"):
        made("./", tmp_path)


class Mine(tf_keras.Model):  # type: ignore[misc]
    """As people subclass it."""

    def __init__(self) -> None:
        super().__init__()
        self.flat, self.last = tf_keras.layers.Flatten(), tf_keras.layers.Dense(CLASSES, activation="softmax")

    def call(self, images: Any) -> Any:
        return self.last(self.flat(images))


def test_a_subclassed_saved_model_is_told_by_name(tmp_path: Path) -> None:
    mine = Mine()
    mine(np.zeros((1, *SHAPE), np.float32))
    mine.save(tmp_path / "mine", save_format="tf")
    with pytest.raises(UsageError, match=r"mine gave the subclassed model Mine \(use a functional or Sequential model"):
        made("mine/", tmp_path)


def test_a_saved_model_without_layers_is_told_by_name(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.serve = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec((None, *SHAPE))])
    tf.saved_model.save(module, str(tmp_path / "plain"))
    with pytest.raises(UsageError, match=r"plain is a SavedModel that holds no Keras model"):
        made("plain/", tmp_path)


def test_a_sequential_model_without_an_input_gets_that_of_the_images(tmp_path: Path) -> None:
    layers = "[tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes, activation='softmax')]"
    text = f"import tf_keras\ndef build(shape, classes):\n    return tf_keras.Sequential({layers})"
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    assert made("net.py", tmp_path).input_shape == (None, 32, 32, 3)


def test_a_sequential_model_that_the_images_are_too_small_for_is_told_by_name(tmp_path: Path) -> None:
    text = "from tf_keras import *\ndef build(shape, classes):\n    return Sequential([layers.Conv2D(1, 99)])"
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"net\.py does not take the images' 32 x 32 x 3: ValueError"):
        made("net.py", tmp_path)
