"""Keras 3 in a process of its own, which must not have tf_keras: makes models and exports them, a request a line.

    {"make": folder}                                                        saves the models below
    {"experiment": file, "variant": name, "samples": folder, "output": folder, "trust": false}

Answers with {"error": null or the line that a user would see}.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.errors import EdgeproofError
from common.experiment import load
from common.trust import VARIABLE
from jobs.export.keras_import import load_quietly

load_quietly()

import keras  # noqa: E402
from keras import layers  # noqa: E402

from jobs.export.stage import export  # noqa: E402

SIDE, CLASSES = 8, 4


def image() -> Any:
    """A classifier with operations of keras.ops in it, compiled with a loss that nobody else has."""
    images = keras.Input((SIDE, SIDE, 3), name="image")
    features = layers.Conv2D(16, 3, activation="relu", kernel_regularizer="l2")(images * 2.0 - 1.0)
    features = keras.ops.relu(layers.BatchNormalization()(features)) * keras.ops.sigmoid(features)
    return keras.Model(images, layers.Dense(CLASSES, "softmax")(layers.Flatten()(features)))


def pair() -> Any:
    """Two inputs, the second of which comes first in the alphabet, and named outputs."""
    right, left = keras.Input((3,), name="right"), keras.Input((3,), name="left")
    return keras.Model([right, left], {"sum": right + left, "less": right - 2.0 * left})


def text() -> Any:
    """What models of text and of sequences are made of."""
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    found = layers.Embedding(9, 8)(tokens)
    found = layers.LayerNormalization()(found + layers.MultiHeadAttention(2, 4)(found, found))
    found = layers.TimeDistributed(layers.Dense(8, keras.activations.gelu))(found)[:, 1:]
    return keras.Model(tokens, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Dropout(0.5)(found))))


def plain() -> Any:
    """A Sequential of layers alone, as the older format can hold it."""
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Flatten(), layers.Dense(CLASSES, "softmax")])


def opened() -> Any:
    """Images of any size."""
    images = keras.Input((None, None, 3), name="image")
    return keras.Model(images, layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(images)))


def planting() -> Any:
    """Touches a file, named by the environment, whenever its Lambda is run."""
    # A lambda of one expression is what Keras writes as byte code.
    touch = eval("lambda x: (__import__('pathlib').Path(__import__('os').environ['MARK']).touch(), x)[1]")  # noqa: S307
    return keras.Sequential([keras.Input((3,)), layers.Lambda(touch), layers.Dense(2)])


MODELS: dict[str, Callable[[], Any]] = {
    "image.keras": image,
    "pair.keras": pair,
    "text.keras": text,
    "plain.h5": plain,
    "open.keras": opened,
    "planting.keras": planting,
    "unbuilt.keras": lambda: keras.Sequential([layers.Flatten(), layers.Dense(2)]),
    "mobile.keras": lambda: keras.applications.MobileNetV3Small((32, 32, 3), weights=None, classes=3),
}


def make(folder: Path) -> None:
    """Save every model, weights alone, and a model with a loss of its own."""
    for name, build in MODELS.items():
        keras.utils.set_random_seed(1)
        build().save(folder / name)
    plain().save_weights(folder / "only.weights.h5")
    compiled = plain()
    compiled.compile("adam", loss=lambda wanted, found: keras.ops.mean(wanted - found))
    compiled.save(folder / "compiled.keras")


def answer(request: dict[str, Any]) -> None:
    """Do what a request asks."""
    if "make" in request:
        return make(Path(request["make"]))
    os.environ.pop(VARIABLE, None)
    if request["trust"]:
        os.environ[VARIABLE] = "1"
    samples = None if request["samples"] is None else Path(request["samples"])
    experiment = load(Path(request["experiment"]))
    export(experiment, request["variant"], None, samples, Path(request["output"]))
    return None


def main() -> None:
    """Answer until there is nothing more to read."""
    # The converter prints.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            answer(json.loads(line))
            error = None
        except EdgeproofError as raised:
            error = str(raised)
        # What no user may see fails the test with its traceback, and ends this process.
        print(json.dumps({"error": error, "keras_2": "tf_keras" in sys.modules}), file=answers, flush=True)


if __name__ == "__main__":
    main()
