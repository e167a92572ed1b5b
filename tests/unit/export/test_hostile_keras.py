"""Keras 3 models from somebody else: none runs code before it is trusted, and what is no model is one line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from common.schema.variant import Variant
from tests.unit.export.conftest import Keras3

FLOAT = 'format = "float32"'
Edit = Callable[[dict[str, Any]], None]


def test_a_lambda_runs_nothing_without_trust(keras3: Keras3, tmp_path: Path) -> None:
    said = keras3.export(tmp_path, keras3.models / "planting.keras", FLOAT)
    assert isinstance(said, str) and "may run code: it has a layer of kind Lambda" in said and "TRUST=1" in said
    assert not keras3.mark.exists()


def test_a_lambda_runs_where_it_is_trusted(keras3: Keras3, tmp_path: Path) -> None:
    """What makes the test before this one able to fail."""
    made = keras3.export(tmp_path, keras3.models / "planting.keras", FLOAT, trust=True)
    assert isinstance(made, Variant), made
    assert keras3.mark.exists()
    keras3.mark.unlink()


def _layer(config: dict[str, Any], place: int) -> dict[str, Any]:
    found: dict[str, Any] = config["config"]["layers"][place]
    return found


def _first(**changed: Any) -> Edit:
    return lambda config: _layer(config, 0).update(changed)


def _inside(**changed: Any) -> Edit:
    return lambda config: _layer(config, -1)["config"].update(changed)


EDITS: dict[str, Edit] = {
    "a SavedModel": _first(class_name="TFSMLayer"),
    "a module of PyTorch": _first(class_name="TorchModuleWrapper"),
    "a vocabulary of a file": _first(class_name="StringLookup"),
    "a class of its own": _first(class_name="Mine"),
    "no name": _first(class_name=["Dense"]),
    "a module": _first(module="os"),
    "a module that looks like Keras": _first(module="kerasevil.x"),
    "a registered name": _first(registered_name="Mine>Dense"),
    "a tool of Keras": _first(class_name="get_file", module="keras.utils"),
    "an operation that calls": _first(class_name="Map", module="keras.src.ops.core"),
    "a function of Python": _inside(activation={"class_name": "function", "module": "builtins", "config": "exec"}),
    "a function of a module": _inside(activation={"class_name": "function", "module": "os", "config": "relu"}),
    "a tool of Keras as a function": _inside(
        activation={"class_name": "function", "module": "keras.utils", "config": "get_file"}
    ),
    "byte code": _inside(activation={"class_name": "__lambda__", "config": {"value": {"code": "4wAA"}}}),
    "a type": _inside(dtype={"class_name": "__typespec__", "module": "os", "spec_name": "system", "config": []}),
    "an initialiser": _inside(kernel_initializer={"class_name": "system", "module": "os", "config": {}}),
}


def edited(source: Path, target: Path, edit: Edit, version: str | None = None) -> Path:
    """A copy of a `.keras` file with another description, or as of another version of Keras."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    edit(config)
    parts["config.json"] = json.dumps(config).encode()
    if version is not None:
        parts["metadata.json"] = json.dumps({"keras_version": version}).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_what_is_not_keras_own_needs_trust(keras3: Keras3, tmp_path: Path, edit: Edit) -> None:
    said = keras3.export(tmp_path, edited(keras3.models / "image.keras", tmp_path / "theirs.keras", edit), FLOAT)
    assert isinstance(said, str) and "theirs.keras may run code" in said


def test_weights_that_lie_in_another_file_need_trust(keras3: Keras3, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.h5"
    theirs.write_bytes((keras3.models / "plain.h5").read_bytes())
    with h5py.File(theirs, "a") as file:
        file["odd"] = h5py.ExternalLink("/etc/x.h5", "/x")
    said = keras3.export(tmp_path, theirs, FLOAT)
    assert isinstance(said, str) and "is a link" in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("zip.keras", b"PK\x05\x06" + bytes(18)),
        ("text.keras", b"not a model"),
        ("empty.h5", b""),
        ("junk.h5", b"\x89HDF\r\n\x1a\n" + bytes(500)),
    ],
)
def test_what_is_no_model_is_one_line(keras3: Keras3, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    said = keras3.export(tmp_path, tmp_path / name, FLOAT)
    assert isinstance(said, str) and f"{name} is no Keras model that can be loaded" in said and "\n" not in said


@pytest.mark.parametrize("share", [0.2, 0.5, 0.98])
def test_a_truncated_file_is_one_line(keras3: Keras3, tmp_path: Path, share: float) -> None:
    whole = (keras3.models / "image.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(whole[: int(len(whole) * share)])
    said = keras3.export(tmp_path, tmp_path / "half.keras", FLOAT)
    assert isinstance(said, str) and "half.keras is no Keras model that can be loaded" in said


def test_weights_alone_are_one_line(keras3: Keras3, tmp_path: Path) -> None:
    said = keras3.export(tmp_path, keras3.models / "only.weights.h5", FLOAT)
    assert isinstance(said, str) and "holds weights alone, and not the layers" in said


def test_weights_of_another_shape_are_one_line(keras3: Keras3, tmp_path: Path) -> None:
    theirs = edited(keras3.models / "image.keras", tmp_path / "theirs.keras", _inside(units=5))
    said = keras3.export(tmp_path, theirs, FLOAT)
    assert isinstance(said, str) and "theirs.keras is no Keras model that can be loaded" in said


def test_a_model_that_was_never_built_is_one_line(keras3: Keras3, tmp_path: Path) -> None:
    said = keras3.export(tmp_path, keras3.models / "unbuilt.keras", FLOAT)
    assert isinstance(said, str) and "does not say what its input is" in said


def test_a_model_of_keras_2_is_led_to_its_place(keras3: Keras3, tmp_path: Path) -> None:
    theirs = edited(keras3.models / "image.keras", tmp_path / "theirs.keras", lambda _: None, version="2.21.0")
    said = keras3.export(tmp_path, theirs, FLOAT)
    assert isinstance(said, str) and "was saved by Keras 2.21.0" in said
    assert "with [train] epochs = 0 to take it" in said
