"""Quantisation-aware training on networks that tfmot knows in part: the pass's word for a layer is the file's."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from common.networks.convert import convert
from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.variant import Promise
from common.tflite.reader import Inspection, inspect
from jobs.optimize.batch_norm import reestimate
from jobs.optimize.held import Computed, Held, computed, float_kernels, told
from jobs.optimize.int8_forms import int8_forms
from jobs.optimize.pass_result import Aware, PassResult
from jobs.optimize.promises import advice, check
from tests.unit.optimize.tiny import IMAGES, SIDE, attempt, notes, run, zeros
from tests.words import known, untrue

AWARE = {"pass": "quantize_aware"}
PRUNED = {"pass": "prune", "frequency": 1}


def _sequence(*parts: Any) -> Any:
    tf_keras.utils.set_random_seed(5)
    return tf_keras.Sequential([layers.Input((SIDE, SIDE, 3)), *parts, layers.Dense(2, activation="softmax")])


def _awkward() -> Any:
    """What tfmot leaves out, and what it takes only with help, in one network."""
    tf_keras.utils.set_random_seed(5)
    inner = layers.Input((SIDE, SIDE, 3))
    stem = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(inner)
    body = layers.BatchNormalization(name="norm")(stem)
    backbone = tf_keras.Model(inner, layers.ReLU()(body), name="backbone")
    start = layers.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(2.0, offset=-1.0, name="rescaling")(start)
    x = layers.Lambda(lambda value: value * 2, name="twice")(backbone(x, training=False))
    x = layers.LeakyReLU(0.1)(layers.Conv2D(8, 3, dilation_rate=2, padding="same", name="dilated")(x))
    x = layers.Multiply(name="gate")([x, layers.Conv2D(8, 1, activation="swish", name="side")(x)])
    x = layers.Conv2DTranspose(6, 3, strides=2, name="wider")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="wider_norm")(x))
    x = layers.Dense(6, activation="elu", name="on_maps")(x)
    x = layers.Reshape((-1, 6))(layers.MaxPooling2D(4)(x))
    x = layers.Conv1D(6, 3, padding="causal", activation="tanh", name="rows")(x)
    x = layers.Flatten()(x)
    x = layers.BatchNormalization(name="wide_norm")(layers.Dense(16, name="wide")(x))
    model = tf_keras.Model(start, layers.Dense(2, activation="softmax", name="last")(x))
    # Statistics that fit no data leave activations without a range.
    return reestimate(model, IMAGES)[0]


@pytest.fixture(scope="module")
def awkward() -> tuple[PassResult, Inspection, tuple[Promise, ...]]:
    return attempt([AWARE], _awkward, format="int8", integer_io=True)


def test_every_kernel_of_what_tfmot_leaves_out_is_int8(awkward: Any) -> None:
    _, found, _ = awkward
    assert {kernel.tensor.dtype for kernel in found.kernels} == {"int8"}
    assert found.proof.int8_mac_share == 1


def test_whole_numbers_go_in_and_out_beside_a_layer_that_tfmot_does_not_know(awkward: Any) -> None:
    _, found, promises = awkward
    assert [port.dtype for port in (*found.inputs, *found.outputs)] == ["int8", "int8"]
    assert not [promise for promise in promises if not promise.kept and promise.claim != "size"]


def test_what_was_not_trained_for_is_told_beside_what_was(awkward: Any) -> None:
    done, _, _ = awkward
    said = notes(done)
    trained = ("stem", "dilated", "side", "side_swish", "gate", "wider", "on_maps", "rows", "wide", "last")
    assert {name: said[name] for name in trained} == dict.fromkeys(trained, "quantised")
    assert said["rescaling"] == "int8 by calibration: tfmot does not quantise Rescaling"
    # The converter may multiply the constant into a kernel.
    assert said["twice"].startswith(("int8 by calibration", "no operator of its own in the file"))
    assert said["twice"].endswith("tfmot does not quantise Lambda")
    # The converter has an ELU in real numbers only, whatever was simulated around it.
    assert said["on_maps_elu"] == "left in float: tfmot has no quantised elu"


def test_what_is_folded_or_rewritten_is_told(awkward: Any) -> None:
    done, _, _ = awkward
    actions = [(note.layer, note.action) for note in done.notes]
    assert ("wide_norm", "folded into wide before it") in actions
    assert ("wider_norm", "folded into wider before it") in actions
    assert ("rows", "written as a convolution of maps that are one row high") in actions


def test_a_file_larger_than_int8_alone_says_why(awkward: Any) -> None:
    done, _, promises = awkward
    (size,) = [promise for promise in promises if promise.claim == "size"]
    assert "bytes larger than in int8 without the training" in notes(done)["the file"]
    assert size.kept or size.waived == notes(done)["the file"]


ROWS: dict[str, Callable[[], Any]] = {
    "causal": lambda: layers.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="elu"),
    "strided": lambda: layers.Conv1D(5, 4, strides=2, padding="same"),
    "grouped": lambda: layers.Conv1D(6, 3, groups=3, activation="swish"),
    "depthwise": lambda: layers.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2),
    "separable": lambda: layers.SeparableConv1D(6, 3, strides=2, activation=layers.LeakyReLU(0.2)),
}


@pytest.mark.parametrize("build", ROWS.values(), ids=ROWS)
def test_forms_compute_the_same(build: Callable[[], Any]) -> None:
    tf_keras.utils.set_random_seed(5)
    inner = tf_keras.Sequential([layers.Input((20, 3)), build(), layers.BatchNormalization()], name="inner")
    start = layers.Input((20, 3))
    model = tf_keras.Model(start, layers.Add()([inner(start), inner(layers.ReLU()(start))]))
    for weight in model.layers[2].weights:
        weight.assign_add(0.1 * np.random.default_rng(1).random(weight.shape, np.float32))
    rows = np.random.default_rng(2).random((4, 20, 3), np.float32) - np.float32(0.5)
    forms = int8_forms(model)
    assert np.asarray(forms.model(rows)) == pytest.approx(np.asarray(model(rows)), abs=1e-5)
    assert not any(isinstance(layer, tf_keras.Model) for layer in forms.model.layers)


def test_zeros_survive_in_layers_that_tfmot_preserves_nothing_of() -> None:
    def build() -> Any:
        parts = [
            layers.Rescaling(2.0, offset=-1.0),
            layers.Conv2D(8, 3, strides=2, activation="relu", name="first"),
            layers.Lambda(lambda value: value * 2),
            layers.Reshape((-1, 8)),
            layers.Conv1D(8, 3, name="rows"),
            layers.GlobalAveragePooling1D(),
        ]
        return _sequence(*parts)

    steps = [PRUNED, {**AWARE, "preserve": "sparsity", "learning_rate": 0.01}]
    done, found = run(steps, build, format="int8")
    assert {kernel.tensor.dtype for kernel in found.kernels} == {"int8"}
    assert zeros(done.model, "quant_rows") >= 0.49


def _mixed() -> Any:
    """Augmentation, layers that are called twice, operations, a recurrent layer and attention."""
    tf_keras.utils.set_random_seed(5)
    start = layers.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(8, 3, strides=4, padding="same", activation="relu")(layers.RandomFlip("horizontal")(start))
    twice, norm = layers.Conv2D(8, 3, padding="same", name="twice"), layers.BatchNormalization(name="norm")
    x = layers.ReLU()(norm(twice(layers.ReLU()(norm(twice(x))))))
    x = tf.concat([x[..., :4] * 2.0, tf.sigmoid(x[..., 4:])], -1)
    rows = layers.Reshape((4, 32))(x)
    rows = layers.LayerNormalization()(rows + layers.MultiHeadAttention(2, 8, name="attention")(rows, rows))
    x = layers.GRU(6, unroll=True, name="recurrent")(rows)
    model = tf_keras.Model(start, layers.Dense(2, activation="softmax", name="last")(x))
    return reestimate(model, IMAGES)[0]


def test_words_hold_in_a_network_of_which_tfmot_knows_little() -> None:
    done, found = run([AWARE], _mixed, format="int8", integer_io=True)
    said = notes(done)
    assert not list(untrue(done.model, found, said))
    assert known(done.model, found, "twice")
    assert said["twice"] == "quantised"
    assert found.inputs[0].dtype == "int8"
    for name in ("attention", "recurrent"):
        assert said[name].startswith("int8 by calibration, ")
        assert "of the multiply-accumulates: tfmot" in said[name]


def test_clusters_survive_beside_layers_that_the_preserving_scheme_refuses() -> None:
    def build() -> Any:
        tf_keras.utils.set_random_seed(5)
        start = layers.Input((SIDE, SIDE, 3))
        x = layers.Conv2D(8, 3, strides=4, activation="relu", name="first")(start * 2.0)
        x = layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid", name="gate")(x)])
        x = layers.Conv2DTranspose(4, 2, strides=2, name="wider")(x)
        end = layers.Dense(2, activation="softmax", name="last")(layers.GlobalAveragePooling2D()(x))
        return tf_keras.Model(start, end)

    steps: list[dict[str, Any]] = [
        {"pass": "cluster", "clusters": 4, "layers": {"wider": 0}},
        {**AWARE, "preserve": "clusters"},
    ]
    done, found = run(steps, build, format="int8")
    assert {item.claim for item in done.expected} == {"clusters"}
    assert {kernel.tensor.dtype for kernel in found.kernels} == {"int8"}


def test_why_ranges_could_not_be_measured_is_told_with_the_layer() -> None:
    model = _sequence(layers.Flatten(), layers.Dense(8, name="wide"))
    content = convert(model, Convert(format="float32"), IMAGES)
    operators = computed(content, inspect(content), LAYERS)
    failure = "BROADCAST_TO failed to invoke"
    (first, *_) = float_kernels(operators, LAYERS, failure)
    assert (first.layer, first.reason.endswith(f"ranges could not be measured: {failure}")) == ("wide", True)
    assert told(operators, LAYERS, failure)[0].action == first.said


LAYERS = (
    Aware("wide", ("wide",), (SIDE * SIDE * 3 * 8,), None),
    Aware("last", ("last",), (16,), "tfmot has no scheme"),
)


def _held(format: str, aware: Sequence[Aware]) -> tuple[Inspection, Held, dict[str, str]]:
    model = _sequence(layers.Flatten(), layers.Dense(8, name="wide"))
    model.layers[-1]._name = "last"
    content = convert(model, Convert.model_validate({"format": format}), IMAGES)
    found = inspect(content)
    operators = computed(content, found, aware)
    said = {note.layer: note.action for note in told(operators, aware, None)}
    return found, Held(float_kernels(operators, aware, None), len(content), None, None), said


@pytest.mark.parametrize(
    ("format", "observed", "how"),
    [("float32", "float32", "left in float"), ("dynamic_range", "int8, run as hybrid", "run as hybrid")],
)
def test_a_kernel_that_is_not_int8_is_shown_with_its_share(format: str, observed: str, how: str) -> None:
    found, held, said = _held(format, LAYERS)
    recipe = Recipe.model_validate({"passes": ({**AWARE, "epochs": 1},), "convert": {"format": "int8"}})
    promises = check(recipe, (), found, held)
    wide = next(promise for promise in promises if promise.subject == "wide")
    assert (wide.kept, wide.observed) == (False, observed)
    assert wide.waived == f"wide {how}, 99.74 % of the multiply-accumulates: the converter has no int8 form of it here"
    assert said["wide"] == wide.waived.removeprefix("wide ")
    assert said["last"].endswith("0.26 % of the multiply-accumulates: tfmot has no scheme")


def test_a_network_that_was_trained_for_int8_in_vain_does_not_pass() -> None:
    found, held, _ = _held("float32", LAYERS)
    recipe = Recipe.model_validate({"passes": ({**AWARE, "epochs": 1},), "convert": {"format": "int8"}})
    broken = [promise for promise in check(recipe, (), found, held) if not promise.kept and promise.waived is None]
    assert [(promise.claim, promise.observed) for promise in broken] == [("int8", "0 %")]
    assert "leave quantize_aware out" in advice(broken)


def test_a_kernel_that_is_not_int8_and_has_no_layer_is_shown_too() -> None:
    _, held, said = _held("float32", (Aware("other", ("other",), (7,), None),))
    assert len(held.floats) == 2
    assert said["other"] == "trained for int8; none of the file's kernels is known as its own"


def test_what_stays_in_float_beside_int8_kernels_is_named() -> None:
    lstm = Aware("lstm", ("lstm",), (96,), "tfmot does not quantise LSTM")
    operators = (
        Computed("FULLY_CONNECTED", ("lstm",), "int8", 96, "kernel", "int8", "lstm"),
        Computed("SPLIT", ("lstm",), "float32", 0),
    )
    (note,) = told(operators, (lstm,), None)
    assert note.action == (
        "int8 by calibration, 100 % of the multiply-accumulates, but SPLIT in float: tfmot does not quantise LSTM"
    )
    assert float_kernels(operators, (lstm,), None) == ()


def test_what_of_other_recipes_is_float_is_not_waived() -> None:
    found, _, _ = _held("float32", LAYERS)
    recipe = Recipe(convert=Convert(format="int8"))
    broken = [promise for promise in check(recipe, (), found) if not promise.kept]
    assert {promise.claim for promise in broken} == {"type"}
    assert not any(promise.waived for promise in broken)
