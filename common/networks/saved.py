"""A saved Keras model, loaded only when its file holds Keras' own layers and nothing else, or is trusted.

What a file holds is read without Keras: HDF5 and `.keras` files carry their layers as JSON. Keras runs what stands
there: the byte code of a Lambda, a class of any module that it can import, any function of TensorFlow's interface.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import tf_keras

from common.errors import UsageError
from common.trust import require_trust

# NASNetLarge, the largest of the applications, has 2.5 MB.
MOST_CONFIG_BYTES = 32 << 20
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
SAVE_HINT = "save it with tf_keras (Keras 2), made of Keras' own layers only"
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
        return tf_keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the file's content makes its layers raise.
        raise UsageError(f"{path} is no Keras model that can be loaded: {said(error)}", hint=SAVE_HINT) from error


def unsafe(path: Path) -> str | None:
    """Why a saved model may run code or reach other files when it is loaded; None when it cannot.

    Raises UsageError for what is no model file.
    """
    if path.is_dir():
        return SAVED_MODEL
    try:
        # The order in which Keras decides.
        if path.suffix == ".keras" and zipfile.is_zipfile(path):
            return _of_zip(path)
        with h5py.File(path) as file:
            return _links(file) or _of_text(file.attrs.get("model_config"))
    except (OSError, ValueError, KeyError, RecursionError, RuntimeError, TypeError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no Keras model that can be loaded: {said(error)}", hint=SAVE_HINT) from None


def said(error: BaseException) -> str:
    """Kind and first line of what Keras or a user's code raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def _of_zip(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(CONFIG).file_size > MOST_CONFIG_BYTES:
            raise ValueError(f"{CONFIG} has more than the {MOST_CONFIG_BYTES >> 20} MiB allowed")
        with archive.open(WEIGHTS) as weights, h5py.File(weights) as file:
            found = _links(file)
        return found or _of_text(archive.read(CONFIG))


def _of_text(text: Any) -> str | None:
    if not isinstance(text, str | bytes) or len(text) > MOST_CONFIG_BYTES:
        raise ValueError("it holds no description of its layers, or one that is too long")
    return next(_problems(json.loads(text)), None)


def _links(group: Any, seen: set[int] | None = None) -> str | None:
    """HDF5 can take the content of a file from another one; a group may have several names, and hold itself."""
    seen = set() if seen is None else seen
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return None
    seen.add(address)
    for name in group:
        kind = group.get(name, getlink=True)
        if not isinstance(kind, h5py.HardLink):
            return f"its part {name!r} is a link"
        part = group[name]
        if isinstance(part, h5py.Dataset):
            if part.external or part.is_virtual:
                return f"its part {name!r} lies in another file"
        elif (found := _links(part, seen)) is not None:
            return found
    return None


def _problems(value: Any) -> Iterator[str]:
    """What in a description is not Keras' own, depth first."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield from _of_class(value)
        yield from (found for inner in value.values() for found in _problems(inner))
    elif isinstance(value, list):
        yield from (found for inner in value for found in _problems(inner))


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
