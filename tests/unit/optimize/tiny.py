"""Small networks of parts that a test chooses, and the way from a recipe to what stands in the file."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras
from tf_keras import layers

from common.batches import Batches
from common.networks.convert import convert
from common.schema.recipe import Recipe
from common.schema.variant import Promise
from common.tflite.reader import Inspection, inspect
from jobs.optimize import passes
from jobs.optimize.batch_norm import copied
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.pass_result import PassResult
from jobs.optimize.promises import check

SIDE = 16
IMAGES = np.random.default_rng(3).integers(0, 255, (32, SIDE, SIDE, 3), dtype=np.uint8)
TUNER = FineTuner(Batches(IMAGES, np.arange(32, dtype=np.int32) % 2, 8, 1), 2, "categorical_crossentropy", None)


def built(*names: str) -> Callable[[], Any]:
    """Makes a network of these parts, in their order: what a test does not look at costs only time."""
    return lambda: _network(names)


def network() -> Any:
    """Convolution, separable convolution, BatchNormalization before and after the activation, dense."""
    return _network(("first", "norm", "relu", "second", "relu", "norm", "pointwise", "relu", "flat", "wide", "last"))


def _network(names: tuple[str, ...]) -> Any:
    tf_keras.utils.set_random_seed(5)
    parts: dict[str, Callable[[], Any]] = {
        "first": lambda: layers.Conv2D(16, 3, strides=2, use_bias=False, name="first"),
        "norm": layers.BatchNormalization,
        "relu": layers.ReLU,
        "second": lambda: layers.SeparableConv2D(24, 3, name="second"),
        "pointwise": lambda: layers.Conv2D(32, 1, name="pointwise"),
        "narrow": lambda: layers.Conv2D(8, 1, name="narrow"),
        "flat": layers.Flatten,
        "pool": layers.GlobalAveragePooling2D,
        "wide": lambda: layers.Dense(32, activation="relu", name="wide"),
        "last": lambda: layers.Dense(2, activation="softmax", name="last"),
    }
    return tf_keras.Sequential([layers.Input((SIDE, SIDE, 3)), *(parts[name]() for name in names)])


CONVOLUTION_AND_MATRIX = built("first", "relu", "flat", "wide", "last")
# As `network`, with a small matrix: the search for clusters takes its time by the number of weights.
POOLED = built("first", "norm", "relu", "second", "relu", "norm", "pointwise", "relu", "pool", "wide", "last")
# And without a separable convolution: it takes its time by the number of channels too.
NARROW = built("first", "norm", "relu", "narrow", "relu", "pool", "wide", "last")


def run(
    steps: list[dict[str, Any]], build: Callable[[], Any] = network, **conversion: Any
) -> tuple[PassResult, Inspection]:
    """The last pass's result with everything expected, and what is in the file; every promise is kept."""
    done, found, promises = attempt(steps, build, **conversion)
    broken = [promise for promise in promises if not promise.kept and promise.waived is None]
    assert not broken
    return done, found


def attempt(
    steps: list[dict[str, Any]], build: Callable[[], Any] = network, **conversion: Any
) -> tuple[PassResult, Inspection, tuple[Promise, ...]]:
    steps = [
        {"epochs": 1, **step} if step["pass"] not in ("fold_batch_norm", "merge_separable") else step for step in steps
    ]
    recipe = Recipe.model_validate({"passes": tuple(steps), "convert": {"format": "float32", **conversion}})
    done = PassResult(build(), ())
    for settings in recipe.passes:
        made = passes.apply(copied(done.model), settings, TUNER)
        done = PassResult(made.model, (*done.notes, *made.notes), (*done.expected, *made.expected))
    aware = any(settings.name == "quantize_aware" for settings in recipe.passes)
    found = inspect(convert(done.model, recipe.convert, IMAGES, aware=aware))
    return done, found, check(recipe, done.expected, found)


def notes(done: PassResult) -> dict[str, str]:
    return {note.layer: note.action for note in done.notes}


def zeros(model: Any, name: str) -> float:
    return float(np.mean(model.get_layer(name).get_weights()[0] == 0))
