"""Finished files as variants, through the real runtime."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from common.errors import EdgeproofError, UsageError
from common.given import labels
from common.ports import input_names, shapes
from common.provenance import ROOT
from common.schema.tflite import AskedRuntime
from common.tflite.flat import parse
from common.tflite.pixels import metadata_pixels
from jobs.adopt.stage import adopt
from jobs.choose.metadata import Description, build_metadata
from jobs.choose.package import package
from tests.given import TINY, adding, given_files, lookup, scaled_dense
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor


def test_the_file_is_taken_as_it_is_with_all_that_is_in_it(tmp_path: Path) -> None:
    experiment = given_files(tmp_path, {"mine": TINY})
    made = adopt(experiment, "mine", tmp_path / "out")
    assert (tmp_path / "out" / "mine.tflite").read_bytes() == TINY
    assert made.recipe is None and made.origin is not None and made.origin.file == "mine.tflite"
    assert made.origin.sha256 == made.model.sha256
    assert made.operators == {"CONV_2D": 1, "FULLY_CONNECTED": 1, "RESHAPE": 1, "SOFTMAX": 1}
    assert [port.shape for port in made.inputs] == [(1, 8, 8, 3)]
    assert made.inputs[0].open_shape == (-1, 8, 8, 3)
    assert made.signatures[0].name == "serving_default"
    assert made.proof is not None and made.proof.macs > 0
    assert isinstance(made.proof.source, AskedRuntime) and not made.proof.count("not sure")
    assert (made.classes, made.labels, made.pixels) == ((), (), (0.0, 1.0))


def test_several_inputs_have_their_names(tmp_path: Path) -> None:
    made = adopt(given_files(tmp_path, {"two": adding()}), "two", tmp_path / "out")
    assert input_names(made) == ("left", "right")
    assert [port.name for port in made.outputs] == ["sum", "twice"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a .tflite file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"LITERTLM" + bytes(100), "LiteRT-LM container"),
        (b"PK\x03\x04" + bytes(100), ".task bundle"),
        (TINY[: len(TINY) // 2], "mine.tflite: damaged .tflite file"),
        (scaled_dense().replace(b"TFL3", b"TFL2"), "not a .tflite file"),
    ],
)
def test_what_is_no_model_is_one_line_that_says_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    experiment = given_files(tmp_path, {"mine": content})
    with pytest.raises(EdgeproofError) as caught:
        adopt(experiment, "mine", tmp_path / "out")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "variant.json").exists()


def test_what_cannot_be_loaded_names_the_operator(tmp_path: Path) -> None:
    ends = (tensor("in", (1, 4), "FLOAT32"), tensor("out", (1, 4), "FLOAT32"))
    custom = packed(model([graph(ends, (operator(0, (0,), (1,)),), (0,), (1,))], ["CUSTOM:NobodysOperator"]))
    experiment = given_files(tmp_path, {"mine": custom})
    with pytest.raises(EdgeproofError, match=r"mine\.tflite cannot be run: .*NobodysOperator"):
        adopt(experiment, "mine", tmp_path / "out")


def test_text_is_refused_by_the_name_of_its_input(tmp_path: Path) -> None:
    ends = (tensor("words", (1,), "STRING"), tensor("x", (1,), "FLOAT32"), tensor("y", (1,), "FLOAT32"))
    text = packed(model([graph(ends, (operator(0, (1, 1), (2,)),), (0, 1), (2,))], ["ADD"]))
    with pytest.raises(UsageError, match="'words' is text"):
        adopt(given_files(tmp_path, {"mine": text}), "mine", tmp_path / "out")


@pytest.mark.parametrize("kind", ["COMPLEX64", "INT4", "BFLOAT16", "RESOURCE"])
def test_an_input_of_no_number_that_can_be_filled_is_named(tmp_path: Path, kind: str) -> None:
    ends = (tensor("odd", (1, 4), kind), tensor("out", (1, 4), "FLOAT32"))
    content = packed(model([graph(ends, (operator(0, (0,), (1,)),), (0,), (1,))], ["CAST"]))
    with pytest.raises(UsageError, match=f"'odd' is {kind.lower()}, which cannot be measured"):
        adopt(given_files(tmp_path, {"mine": content}), "mine", tmp_path / "out")


@pytest.mark.parametrize(("inputs", "outputs", "said"), [((), (1,), "no input"), ((0,), (), "no output")])
def test_a_file_without_ports_is_refused(
    tmp_path: Path, inputs: tuple[int, ...], outputs: tuple[int, ...], said: str
) -> None:
    tensors = (tensor("x", (1, 3), "FLOAT32", 1), tensor("y", (1, 3), "FLOAT32"))
    parts = graph(tensors, (operator(0, (0, 0), (1,)),), inputs, outputs)
    content = packed(model([parts], ["ADD"], [bytes(12)]))
    with pytest.raises(UsageError, match=f"has {said} in its main subgraph"):
        adopt(given_files(tmp_path, {"mine": content}), "mine", tmp_path / "out")


def test_what_crashes_names_its_operators(tmp_path: Path) -> None:
    # LiteRT has scales of blocks for weights alone, and ends the process where ADD reads them.
    weights, scales = tensor("w", (64,), "INT8", 1), tensor("scales", (2,), "FLOAT32", 2)
    weights.quantization = schema.QuantizationParametersT()
    weights.quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
    weights.quantization.details = schema.BlockwiseQuantizationT()
    weights.quantization.details.scales, weights.quantization.details.blockSize = 3, 32
    tensors = (tensor("x", (64,), "INT8"), weights, tensor("y", (64,), "INT8"), scales)
    parts = graph(tensors, (operator(0, (0, 1), (2,)),), (0,), (2,))
    content = packed(model([parts], ["ADD"], [bytes(64), np.ones(2, np.float32).tobytes()]))
    with pytest.raises(EdgeproofError, match=r"one of its operators brings LiteRT down \(SIGABRT\): ADD"):
        adopt(given_files(tmp_path, {"mine": content}), "mine", tmp_path / "out")


def test_labels_and_pixels_come_from_the_metadata_inside(tmp_path: Path) -> None:
    found = adopt(given_files(tmp_path, {"mine": TINY}), "mine", tmp_path / "out")
    about = Description("n", "t", "1", "labels.txt")
    packaged = package(TINY, build_metadata(about, found.inputs[0], found.outputs[0]), b"fire\nno fire\n")
    # edgeproof's own metadata: (pixel - 0) / 255.
    assert metadata_pixels(packaged) == pytest.approx((0.0, 1.0))
    assert labels(packaged) == ("fire", "no fire")
    assert metadata_pixels(TINY) is None
    assert labels(TINY) == ()


def test_a_bomb_of_labels_is_not_unpacked() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", b"a\n" * (8 << 20))
    assert labels(TINY + stream.getvalue()) == ()


def test_damaged_metadata_is_none_and_no_traceback() -> None:
    about = Description("n", "t", "1", "labels.txt")
    ports = parse(TINY).graphs[0]
    assert ports.inputs
    from common.tflite.reader import inspect

    found = inspect(TINY)
    whole = package(TINY, build_metadata(about, found.inputs[0], found.outputs[0]), b"a\nb\n")
    at = whole.index(b"M001")
    random = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(whole)
        for place in random.integers(at - 4, min(at + 600, len(whole)), 8):
            broken[place] = random.integers(0, 256)
        pixels = metadata_pixels(bytes(broken))
        assert pixels is None or len(pixels) == 2


def test_open_sides_are_chosen_and_fixed_ones_are_not(tmp_path: Path) -> None:
    made = adopt(given_files(tmp_path, {"mine": TINY}), "mine", tmp_path / "out")
    name = input_names(made)[0]
    assert shapes(made, {name: (5, 8, 8, 3)}) == {0: (5, 8, 8, 3)}
    with pytest.raises(UsageError, match=r"takes \[-1, 8, 8, 3\]"):
        shapes(made, {name: (1, 9, 8, 3)})


def test_the_command_line_refuses_a_recipe(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "jobs.adopt", "--experiment", "experiments/demo.toml", "--variant", "baseline"]
    done = subprocess.run([*argv, "--output", str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: variant 'baseline' is no file")
    assert done.stderr.count("\n") == 1


def test_a_lookup_is_taken(tmp_path: Path) -> None:
    made = adopt(given_files(tmp_path, {"mine": lookup()}), "mine", tmp_path / "out")
    assert made.inputs[0].dtype == "int32"
