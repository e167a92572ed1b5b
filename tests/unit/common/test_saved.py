"""Saved models from somebody else: harmless ones need no trust, and none runs code before it has it."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
import tf_keras
from tf_keras import layers

from common.errors import UsageError
from common.networks.applications import application
from common.networks.own import from_file
from common.networks.saved import load_saved, unsafe
from common.trust import VARIABLE, has_network, require_trust

SHAPE, CLASSES = (32, 32, 3), 3


@pytest.fixture(autouse=True)
def untrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def network(*parts: Any) -> Any:
    return tf_keras.Sequential([layers.Input(SHAPE), *parts, layers.Flatten(), layers.Dense(CLASSES, "softmax")])


def planting(mark: Path) -> Any:
    """A model that writes `mark` when it is loaded from a file."""
    place = str(mark)

    def plant(values: Any) -> Any:
        __import__("pathlib").Path(place).touch()
        return values

    model = network(layers.Lambda(plant))
    mark.unlink(missing_ok=True)
    return model


@pytest.mark.parametrize("name", ["theirs.h5", "theirs.keras", "theirs"])
def test_a_lambda_runs_nothing_without_trust(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    planting(mark).save(tmp_path / name)
    mark.unlink(missing_ok=True)
    with pytest.raises(UsageError, match=r"may run code: .*say TRUST=1"):
        load_saved(tmp_path / name)
    assert not mark.exists()


def test_a_lambda_runs_where_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the test before this one able to fail."""
    mark = tmp_path / "mark"
    planting(mark).save(tmp_path / "theirs.h5")
    mark.unlink(missing_ok=True)
    monkeypatch.setenv(VARIABLE, "1")
    load_saved(tmp_path / "theirs.h5")
    assert mark.exists()


def test_a_python_file_runs_nothing_without_trust(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "net.py").write_text(f"open({str(mark)!r}, 'w')", encoding="utf-8")
    with pytest.raises(UsageError, match=r"net\.py may run code: it is a Python program"):
        from_file(tmp_path / "net.py", SHAPE, CLASSES)
    assert not mark.exists()


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_harmless_file_needs_no_trust(suffix: str, tmp_path: Path) -> None:
    images = layers.Input(SHAPE)
    features = layers.Conv2D(4, 3, kernel_regularizer="l2", activation="relu")(images / 255.0 + 1.0)
    features = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(features[:, 1:]))
    model = tf_keras.Model(images, layers.Dense(CLASSES, "softmax")(features))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.save(tmp_path / f"ours{suffix}")
    assert unsafe(tmp_path / f"ours{suffix}") is None
    assert load_saved(tmp_path / f"ours{suffix}").count_params() == model.count_params()


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("EfficientNetV2B0", "RegNetX002")]


@pytest.mark.parametrize("name", ["MobileNetV3Small", *SLOW])
def test_an_application_needs_no_trust(name: str, tmp_path: Path) -> None:
    application(name, SHAPE, CLASSES).save(tmp_path / "theirs.h5")
    assert unsafe(tmp_path / "theirs.h5") is None


Edit = Callable[[dict[str, Any]], None]


def _first(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["config"]["layers"][1]
    return found


def _class(name: str) -> Edit:
    return lambda config: _first(config).update(class_name=name)


def _call(function: str, kind: str = "TFOpLambda") -> Edit:
    return lambda config: _first(config).update(class_name=kind, config={"function": function, "name": "odd"})


def _nested(config: dict[str, Any]) -> None:
    _first(config)["config"]["layer"] = {"class_name": "TimeDistributed", "config": {"layer": {"class_name": "Lambda"}}}


EDITS: dict[str, Edit] = {
    "Lambda": _class("Lambda"),
    "a Lambda inside of a wrapper": _nested,
    "an operation by name": _call("io.write_file"),
    "Python code by name": _call("numpy_function"),
    "an operation by name, for slices": _call("io.read_file", "SlicingOpLambda"),
    "a sampler that reads a file": _call("nn.fixed_unigram_candidate_sampler"),
    "a function that is none": _call(["math.add"]),  # type: ignore[arg-type]
    "a graph of its own": _class("TensorFlowOpLayer"),
    "a method": _class("ClassMethod"),
    "a vocabulary of a file": _class("StringLookup"),
    "a class of its own": _class("Mine"),
    "no name": _class(["Dense"]),  # type: ignore[arg-type]
    "a module": lambda config: _first(config).update(module="os", class_name="Dense"),
    "a module that looks like Keras": lambda config: _first(config).update(module="kerasevil.x"),
    "a registered name": lambda config: _first(config).update(registered_name="Mine>Dense"),
    "an initialiser": lambda config: _first(config)["config"].update(kernel={"class_name": "system", "module": "os"}),
    "a function of Python": lambda config: _first(config)["config"].update(
        activation={"class_name": "function", "module": "builtins", "config": "exec"}
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_what_is_not_keras_own_needs_trust(suffix: str, edit: Edit, tmp_path: Path) -> None:
    path = tmp_path / f"theirs{suffix}"
    network(layers.Conv2D(2, 3)).save(path)
    assert unsafe(path) is None
    if suffix == ".h5":
        with h5py.File(path, "a") as file:
            config = json.loads(file.attrs["model_config"])
            edit(config)
            file.attrs["model_config"] = json.dumps(config)
    else:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(parts["config.json"])
        edit(config)
        parts["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
    with pytest.raises(UsageError, match="may run code"):
        load_saved(path)


def test_weights_that_lie_in_another_file_need_trust(tmp_path: Path) -> None:
    model = network()
    for name in ("external", "soft"):
        model.save(tmp_path / f"{name}.h5")
        with h5py.File(tmp_path / f"{name}.h5", "a") as file:
            file["odd"] = h5py.ExternalLink("/etc/x.h5", "/x") if name == "external" else h5py.SoftLink("/x")
        with pytest.raises(UsageError, match="is a link"):
            load_saved(tmp_path / f"{name}.h5")
    model.save(tmp_path / "raw.h5")
    with h5py.File(tmp_path / "raw.h5", "a") as file:
        file.create_dataset("odd", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    with pytest.raises(UsageError, match="lies in another file"):
        load_saved(tmp_path / "raw.h5")


def test_groups_that_hold_each_other_are_gone_through_once(tmp_path: Path) -> None:
    network().save(tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "theirs.h5", "a") as file:
        here = file.create_group("deep")
        for _ in range(60):
            inner = here.create_group("one")
            here["two"] = inner
            here["root"] = file["/"]
            here = inner
    assert unsafe(tmp_path / "theirs.h5") is None


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_model_of_keras_3_is_led_to_its_place(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"theirs{suffix}"
    network().save(path)
    if suffix == ".h5":
        with h5py.File(path, "a") as file:
            file.attrs["keras_version"] = "3.15.1"
    else:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        parts["metadata.json"] = json.dumps({"keras_version": "3.15.1"}).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
    with pytest.raises(UsageError, match=r"saved by Keras 3\.15\.1: tf_keras \(Keras 2\) cannot read it.*from = "):
        load_saved(path)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + bytes(500), b"PK\x03\x04", b"[" * 9000])
@pytest.mark.parametrize("name", ["theirs.h5", "theirs.keras"])
def test_what_is_no_model_is_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="is no Keras model that can be loaded"):
        load_saved(tmp_path / name)


def test_a_description_that_is_nested_too_deeply_is_one_line(tmp_path: Path) -> None:
    network().save(tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "theirs.h5", "a") as file:
        file.attrs["model_config"] = "[" * 20_000 + "]" * 20_000
    with pytest.raises(UsageError, match="is no Keras model that can be loaded"):
        load_saved(tmp_path / "theirs.h5")


def test_a_container_with_a_network_needs_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEPROOF_IMAGE", "sha256:1")
    for name, flags in (("lo", "0x9"), ("tunl0", "0x80")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flags").write_text(flags)
    monkeypatch.setattr("common.trust.has_network", lambda: has_network(tmp_path))
    require_trust(Path("theirs.h5"), "it has a Lambda")
    (tmp_path / "eth0").mkdir()
    (tmp_path / "eth0" / "flags").write_text("0x1003")
    with pytest.raises(UsageError, match="may run code"):
        require_trust(Path("theirs.h5"), "it has a Lambda")
    assert has_network(tmp_path / "nothing")
