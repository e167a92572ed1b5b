"""The tool as it is called, on files from elsewhere and on files that mean harm."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from common.errors import EdgeproofError, UsageError
from common.provenance import ROOT
from common.schema.inspection import InspectReport
from common.schema.tflite import Tensor
from jobs.choose import metadata
from jobs.choose.package import package
from jobs.inspect.compare import match
from jobs.inspect.pairing import side
from jobs.inspect.show import tables
from jobs.inspect.stage import inspect_files
from tests.command import command
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

EVIL = "\x1b[2J\x1b]0;owned\x07\u202e[bold red]conv\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One classifier in float32 and in int8 with int8 input and output."""
    import tensorflow as tf
    import tf_keras

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    parts = [layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(5, activation="softmax")]
    net = tf_keras.Sequential([layers.Input((8, 8, 3)), *parts])
    pictures = np.random.default_rng(0).random((8, 1, 8, 8, 3), np.float32)
    folder = tmp_path_factory.mktemp("pair")
    for name in ("float", "int8"):
        converter = tf.lite.TFLiteConverter.from_keras_model(net)
        if name == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([row] for row in pictures)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        (folder / f"{name}.tflite").write_bytes(converter.convert())
    return folder / "float.tflite", folder / "int8.tflite"


def shown(report: InspectReport, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    for table in tables(report):
        console.print(table)
    stream: Any = console.file
    text: str = stream.getvalue()
    return text


def test_two_files_are_compared(pair: tuple[Path, Path]) -> None:
    report = inspect_files(*pair)
    found = report.comparison
    assert found is not None
    assert found.outputs is not None, found.not_run
    assert 0 < (found.outputs.max_abs_difference or 0) < 0.05
    assert (found.outputs.same_top1 or 0) >= 0.8
    kernels = {change.shape: (change.first.dtype, change.second.dtype) for change in found.tensors}
    assert kernels[8, 3, 3, 3] == kernels[5, 288] == ("float32", "int8")
    text = shown(report)
    assert "float32 → int8" in text
    assert "same largest output" in text
    assert report.files[1].proof.int8_mac_share == 1


def test_a_file_equals_itself(pair: tuple[Path, Path]) -> None:
    found = inspect_files(pair[0], pair[0]).comparison
    assert found is not None
    assert found.outputs is not None
    assert (found.operators, found.tensors, found.only_first, found.only_second) == ((), (), (), ())
    assert (found.outputs.max_abs_difference, found.outputs.same_top1) == (0, 1)


def test_the_command(pair: tuple[Path, Path]) -> None:
    argv = [sys.executable, "-m", "jobs.inspect", str(pair[1])]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    assert "SOFTMAX (int8 input)" in " ".join(told.stdout.split())
    listed = command("inspect", pair[1], "--json")
    report = InspectReport.model_validate_json(listed.stdout)
    assert report.files[0].proof == inspect_files(pair[1], None).files[0].proof
    assert listed.stdout.isascii()


def test_a_file_is_left_alone_by_litert_where_that_is_wished(pair: tuple[Path, Path]) -> None:
    [asked] = inspect_files(pair[1], None).files
    [alone] = InspectReport.model_validate_json(command("inspect", pair[1], "--no-ask", "--json").stdout).files
    assert (asked.proof.source.kind, alone.proof.source.kind) == ("asked", "rules")
    assert {operator.taken for operator in alone.operators} == {None}
    assert [operator.verdict for operator in alone.operators] == [operator.verdict for operator in asked.operators]
    assert "no answer of a runtime: the file was only read" in " ".join(
        shown(inspect_files(pair[1], None, ask=False)).split()
    )


def evil_file(path: Path) -> Path:
    ends = [tensor(EVIL, (1, 4), "FLOAT32"), tensor("k" + EVIL, (4,), "FLOAT32", 1), tensor(EVIL, (1, 4), "FLOAT32")]
    made = model([graph(ends, [operator(0, (0, 1), (2,))], (0,), (2,))], [f"CUSTOM:{EVIL}"], [bytes(16)])
    path.write_bytes(packed(made))
    return path


@pytest.mark.parametrize("width", [40, 100])
def test_names_are_not_obeyed(tmp_path: Path, width: int) -> None:
    report = inspect_files(evil_file(tmp_path / f"{EVIL[:24]}.tflite"), None)
    text = shown(report, width)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "bold" in text
    assert max(map(len, text.splitlines())) <= width


def test_json_is_plain(tmp_path: Path) -> None:
    listed = command("inspect", evil_file(tmp_path / "evil.tflite"), "--json").stdout
    assert listed.isascii()
    assert not {"\x1b", "\x07"} & set(listed)
    assert InspectReport.model_validate_json(listed).files[0].inputs[0].name == EVIL


def test_what_cannot_be_run_is_compared_without_outputs(tmp_path: Path) -> None:
    path = evil_file(tmp_path / "evil.tflite")
    told = command("inspect", path, path)
    assert told.returncode == 0, told.stderr
    assert "not compared" in told.stdout
    assert "cannot be run: " in told.stdout
    assert not {"\x1b", "\x07"} & set(told.stdout)


def test_other_shapes_are_not_run(pair: tuple[Path, Path], tmp_path: Path) -> None:
    found = inspect_files(pair[0], evil_file(tmp_path / "evil.tflite")).comparison
    assert found is not None
    assert (found.outputs, found.not_run) == (None, "their inputs have different shapes")


def test_files_that_are_none(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        inspect_files(tmp_path / "none.tflite", None)
    (tmp_path / "cut.tflite").write_bytes(pair[0].read_bytes()[:900])
    with pytest.raises(EdgeproofError, match=r"cut\.tflite: damaged"):
        inspect_files(tmp_path / "cut.tflite", None)
    told = command("inspect", tmp_path)
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1


def test_renamed_tensors_find_each_other() -> None:
    def make(name: str, *shape: int) -> Tensor:
        return Tensor(name=name, shape=shape, dtype="int8", elements=1, zeros=0, unique_per_channel=1)

    first = make("a", 2, 3), make("b", 4), make("c", 4), make("d", 9)
    second = make("c", 4), make("x", 2, 3), make("y", 4), make("z", 9), make("w", 9)
    pairs, only_first, only_second = match(first, second)
    assert {(old.name, new.name) for old, new in pairs} == {("c", "c"), ("a", "x"), ("b", "y")}
    # One d and two of its shape: which is it? Better none.
    assert ([t.name for t in only_first], [t.name for t in only_second]) == (["d"], ["z", "w"])


def test_a_device_is_no_file() -> None:
    with pytest.raises(UsageError, match="/dev/zero is no file"):
        inspect_files(Path("/dev/zero"), None)


def test_metadata_says_from_where_to_where_a_float_input_goes(
    tmp_path: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = inspect_files(pair[0], None).files[0]
    monkeypatch.setattr(metadata, "STD", 127.5)
    monkeypatch.setattr(metadata, "MEAN", 127.5)
    about = metadata.build_metadata(metadata.Description("n", "t", "1", "labels.txt"), bare.inputs[0], bare.outputs[0])
    path = tmp_path / "named.tflite"
    path.write_bytes(package(pair[0].read_bytes(), about, b"a\nb\n"))
    (found,) = side(inspect_files(path, None).files[0], path.read_bytes()).ends
    assert (found.low, found.high, found.told) == (-1, 1, True)
    (unknown,) = side(bare, pair[0].read_bytes()).ends
    assert (unknown.low, unknown.high, unknown.told) == (0, 1, False)
