"""A saved model of tf_keras, loaded only when its file holds Keras' own layers and nothing else, or is trusted.

What a file holds is read without Keras, which runs what stands there: the byte code of a Lambda, a class of any module
that it can import, any function of TensorFlow's interface.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tf_keras

from common.errors import UsageError
from common.keras_file import classes, read_keras_file, said
from common.trust import require_trust

SAVE_HINT = "save it with tf_keras (Keras 2), made of Keras' own layers only"
NEEDS_KERAS_2 = (
    "tf_keras (Keras 2) cannot read it, and training and passes need tf_keras, as their optimisers know no other"
)
KERAS_3_HINT = (
    'convert it as it is: [variants.NAME] with from = "FILE" and convert = { format = "int8" }; '
    "to train it or to run passes, build the network in a Python file with tf_keras"
)
SAVED_MODEL = "a SavedModel is a program of TensorFlow, which can also read and write files"
# Layers that hold code or name any operation of TensorFlow, and those that read a file that they name.
UNSAFE = frozenset(
    {"Lambda", "TensorFlowOpLayer", "ClassMethod", "InstanceMethod", "InstanceProperty"}
    | {"StringLookup", "IntegerLookup", "TextVectorization", "DenseFeatures"}
)
# A layer that calls a function of TensorFlow by its name; these compute and do nothing else.
CALLS = frozenset({"TFOpLambda", "SlicingOpLambda"})
CALLED = ("math.", "nn.", "__operators__.")
CALLED_ALONE = frozenset(
    {"abs", "add", "cast", "clip_by_value", "concat", "expand_dims", "identity", "image.resize", "matmul", "maximum"}
    | {"minimum", "multiply", "pad", "reduce_max", "reduce_mean", "reduce_sum", "reshape", "shape", "slice", "split"}
    | {"square", "squeeze", "stack", "strided_slice", "subtract", "tile", "transpose", "unstack", "compat.v1.shape"}
    | {"compat.v1.transpose", "compat.v1.squeeze", "compat.v1.pad", "compat.v1.gather", "gather"}
)
# How Keras writes values that JSON lacks.
VALUES = frozenset({"TensorShape", "__tuple__", "__ellipsis__", "Policy", "InputSpec"})
MODELS = frozenset({"Functional", "Model", "Sequential"})
# A layer that InceptionResNetV2 brings along, and where EfficientNetV2 has its initialisers from.
OF_APPLICATIONS = frozenset({"CustomScaleLayer"})
INITIALISERS = "tensorflow.python.ops.init_ops_v2"
PLACES = (
    *(tf_keras.layers, tf_keras.initializers, tf_keras.regularizers, tf_keras.constraints),
    # Written, though a model is loaded without them.
    *(tf_keras.optimizers, tf_keras.losses, tf_keras.metrics),
    tf_keras.layers.experimental.preprocessing,
)
PACKAGES = frozenset({"keras", "tf_keras"})


def load_saved(path: Path) -> Any:
    """The model of an HDF5 or `.keras` file or of a SavedModel, uncompiled and not yet checked to fit.

    Raises UsageError for what is no such model, and for one that may run code where that is not allowed.
    """
    if (why := unsafe(path)) is not None:
        require_trust(path, why)
    try:
        model = tf_keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the file's content makes its layers raise.
        raise UsageError(f"{path} is no Keras model that can be loaded: {said(error)}", hint=SAVE_HINT) from error
    if not isinstance(model, tf_keras.Model):
        raise UsageError(f"{path} is a SavedModel that holds no Keras model", hint=SAVE_HINT)
    return model


def unsafe(path: Path) -> str | None:
    """Why a saved model may run code or reach other files when it is loaded; None when it cannot.

    Raises UsageError for what is no model file, and for one that tf_keras cannot read.
    """
    if path.is_dir():
        return SAVED_MODEL
    held = read_keras_file(path, SAVE_HINT)
    if held.is_keras_3:
        raise UsageError(f"{path} was saved by Keras {held.version}: {NEEDS_KERAS_2}", hint=KERAS_3_HINT)
    try:
        return held.link or next((problem for each in classes(held.layers) for problem in _of_class(each)), None)
    except (RecursionError, TypeError) as error:
        raise UsageError(f"{path} is no Keras model that can be loaded: {said(error)}", hint=SAVE_HINT) from None


def _of_class(value: dict[str, Any]) -> Iterator[str]:
    name, module = value["class_name"], value.get("module")
    if not isinstance(name, str) or name in UNSAFE:
        yield f"it has a layer of kind {name}"
    elif name in CALLS:
        config = value.get("config")
        called = config.get("function") if isinstance(config, dict) else None
        if not _computes(called):
            yield f"it calls {called}"
    elif name not in _known():
        yield f"{name} is none of Keras' own layers"
    if module is not None and module != INITIALISERS and str(module).split(".")[0] not in PACKAGES:
        yield f"it names the module {module}"
    if value.get("registered_name") not in {None, name}:
        yield f"it names {value['registered_name']}, which is none of Keras' own"


def _computes(called: Any) -> bool:
    # Candidate samplers take the name of a file.
    return isinstance(called, str) and (
        called in CALLED_ALONE or (called.startswith(CALLED) and not called.endswith("sampler"))
    )


def _known() -> frozenset[str]:
    public = {name for place in PLACES for name, part in vars(place).items() if isinstance(part, type)}
    return frozenset(public) | VALUES | MODELS | OF_APPLICATIONS
