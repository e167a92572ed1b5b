"""What a saved Keras model's file holds, read without Keras: HDF5 and `.keras` files carry their layers as JSON.

Keras runs what stands there: the byte code of a Lambda, a class of any module that it can import, functions by name.
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from common.errors import UsageError

# NASNetLarge, the largest of the applications, has 2.5 MB.
MOST_CONFIG_BYTES = 32 << 20
ZIPPED = ".keras"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
VERSION, LAYERS = "keras_version", "model_config"
# What weights without layers have, in the older format and in those of Keras 2.12 and 3.
LAYER_NAMES, PARTS = "layer_names", ("layers", "_layer_checkpoint_dependencies")
# How other files begin that stand where a model is meant: the third word of a flatbuffer is its kind.
TFLITE, LFS_POINTER = b"TFL3", b"version https://git-lfs"
TFLITE_HINT = 'measure it by [variants.NAME] file = "FILE", or quantise it by from = "FILE"'
MOST_SAID = 400
IN_A_LAYER = "Exception encountered when calling layer"
NO_LAYERS = "it holds no description of its layers, or one that is too long"


@dataclass(frozen=True)
class KerasFile:
    """The description of a model's layers, parsed; the version of the Keras that wrote it, empty where it is not
    said; and what in it leads to another file, None where nothing does."""

    layers: Any
    version: str
    link: str | None

    @property
    def is_keras_3(self) -> bool:
        """Whether it was written by the package `keras` 3 or later, whose files tf_keras (Keras 2) cannot read."""
        major = self.version.partition(".")[0]
        return major.isdigit() and int(major) >= 3  # noqa: PLR2004


def read_keras_file(path: Path, hint: str) -> KerasFile:
    """What a whole-model `.h5` or `.keras` file holds. Raises UsageError with `hint` for what is none."""
    try:
        # The order in which Keras decides.
        if path.suffix == ZIPPED and zipfile.is_zipfile(path):
            return _of_zip(path)
        with h5py.File(path) as file:
            _require_layers(file, path)
            version = file.attrs.get(VERSION, "")
            link = _links(file)
            return KerasFile(_parsed(file.attrs.get(LAYERS)), _text(version), link)
    except (OSError, ValueError, KeyError, RecursionError, RuntimeError, TypeError, zipfile.BadZipFile) as error:
        raise _other(path) or UsageError(
            f"{path} is no Keras model that can be loaded: {said(error)}", hint=hint
        ) from None


def _require_layers(file: Any, path: Path) -> None:
    """Raise UsageError for weights alone, as `save_weights` writes them."""
    if LAYERS not in file.attrs and (LAYER_NAMES in file.attrs or {*PARTS} & {*file}):
        text = f"{path} holds weights alone, and not the layers that they belong to"
        raise UsageError(text, hint="save the whole model: model.save(FILE), not model.save_weights(FILE)")


def _other(path: Path) -> UsageError | None:
    """What a file is that was taken for a Keras model, where its first bytes say so."""
    try:
        with path.open("rb") as stream:
            start = stream.read(len(LFS_POINTER))
    except OSError:
        return None
    if start[4:8] == TFLITE:
        return UsageError(f"{path} is a .tflite file: its layers are gone", hint=TFLITE_HINT)
    if start == LFS_POINTER:
        return UsageError(f"{path} is a Git LFS pointer, not the model", hint="fetch the file with git lfs pull")
    return None


def classes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object that a description has made by the name of its class, depth first."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        yield from (found for inner in value.values() for found in classes(inner))
    elif isinstance(value, list):
        yield from (found for inner in value for found in classes(inner))


def said(error: BaseException) -> str:
    """Kind and first line of what Keras or a user's code raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Keras names the layer first, and what it raised in the next line.
    told = " ".join(lines[: 2 if lines[:1] and lines[0].startswith(IN_A_LAYER) else 1])
    # It also writes a whole network's settings into one line.
    return f"{type(error).__name__}: {told[:MOST_SAID] or 'no message'}"


def _of_zip(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        with archive.open(WEIGHTS) as weights, h5py.File(weights) as file:
            link = _links(file)
        layers = _parsed(_member(archive, CONFIG))
        metadata = _parsed(_member(archive, METADATA)) if METADATA in archive.namelist() else {}
    return KerasFile(layers, _text(metadata.get(VERSION) if isinstance(metadata, dict) else ""), link)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MOST_CONFIG_BYTES:
        raise ValueError(f"{name} has more than the {MOST_CONFIG_BYTES >> 20} MiB allowed")
    return archive.read(name)


def _parsed(text: Any) -> Any:
    if not isinstance(text, str | bytes) or len(text) > MOST_CONFIG_BYTES:
        raise ValueError(NO_LAYERS)
    return json.loads(text)


def _text(version: Any) -> str:
    return version.decode("utf-8", "replace") if isinstance(version, bytes) else str(version or "")


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
