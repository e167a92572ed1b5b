"""litert-quantizer's recipes on a finished file, and what is then in it."""

from pathlib import Path

import numpy as np
import pytest

from common.artifact import read
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.schema.inputs import Samples
from common.schema.variant import Variant
from common.tflite.parts import by_output
from common.tflite.reader import inspect
from jobs.inputs.stage import sample
from jobs.quantize.stage import quantize
from tests.given import TINY, adopted, given_files

TABLE = '[variants.made]\nfrom = "mine.tflite"\nconvert = {{ {convert} }}\n'


def made(tmp_path: Path, convert: str, *, real: bool = True) -> Variant:
    experiment = prepared(tmp_path, convert, real=real)
    return quantize(experiment, "made", None, tmp_path / "inputs", tmp_path / "out")


def prepared(
    tmp_path: Path, convert: str, *, real: bool = True, content: bytes = TINY, count: int = 4, part: str = ""
) -> LoadedExperiment:
    (tmp_path / "samples").mkdir(exist_ok=True)
    for place in range(count):
        np.save(tmp_path / "samples" / f"{place}.npy", np.random.default_rng(place).random((8, 8, 3)))
    source = '[inputs]\nsource = "samples"\n' if real else ""
    source += f'[evaluate]\npart = "{part}"\n' if part else ""
    experiment = given_files(tmp_path, {"mine": content}, source + TABLE.format(convert=convert))
    adopted(experiment, "mine", tmp_path / "variants" / "mine")
    sample(experiment, tmp_path / "variants" / "mine", tmp_path / "inputs")
    return experiment


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        ('format = "dynamic_wi8_afp32"', "int8"),
        ('format = "weight_only_wi8_afp32"', "int8"),
        ('format = "static_wi8_ai8"', "int8"),
        ('format = "static_wi8_ai16"', "int8"),
    ],
)
def test_the_kernels_are_what_the_format_says(tmp_path: Path, convert: str, dtype: str) -> None:
    variant = made(tmp_path, convert)
    content = (tmp_path / "out" / "made.tflite").read_bytes()
    assert {kernel.tensor.dtype for kernel in inspect(content).kernels} == {dtype}
    assert all(promise.kept for promise in variant.promises)
    assert variant.origin is not None and variant.origin.file == "mine.tflite"
    assert variant.recipe is None
    assert content != TINY


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    first = made(tmp_path, 'format = "static_wi8_ai8"')
    assert made(tmp_path, 'format = "static_wi8_ai8"').model.sha256 == first.model.sha256


def test_a_pattern_leaves_its_operators_in_float(tmp_path: Path) -> None:
    names = [kernel.operator for kernel in inspect(TINY).kernels]
    assert names == ["CONV_2D", "FULLY_CONNECTED"]
    variant = made(tmp_path, 'format = "static_wi8_ai8", layers = { "*" = "float32", "*conv*" = "static_wi8_ai8" }')
    kinds = [(promise.expected, promise.observed) for promise in variant.promises[:-1]]
    assert kinds == [("int8", "int8"), ("float32", "float32")]
    assert all(promise.kept for promise in variant.promises)
    # What gives the answers is in float, so that they are too; what takes the image is not.
    assert [port.dtype for port in (*variant.inputs, *variant.outputs)] == ["int8", "float32"]


def test_a_whole_name_is_a_pattern_too(tmp_path: Path) -> None:
    name = next(part.outputs[0] for part in by_output(TINY) if part.gives)
    variant = made(tmp_path, f'format = "static_wi8_ai8", layers = {{ "{name}" = "float32" }}')
    assert [port.dtype for port in variant.outputs] == ["float32"]


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no operator gives what is named like 'head'"):
        made(tmp_path, 'format = "dynamic_wi8_afp32", layers = { "head" = "float32" }')


def test_a_static_format_needs_real_samples(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs real samples"):
        made(tmp_path, 'format = "static_wi8_ai8"', real=False)


def test_nothing_that_is_quantised_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeproofError, match="quantised kernels of the file is 0 of 2"):
        made(tmp_path, 'format = "dynamic_wi8_afp32", layers = { "*" = "float32" }')


def test_a_file_that_was_quantised_before_is_refused_in_one_line(tmp_path: Path) -> None:
    made(tmp_path, 'format = "static_wi8_ai8"')
    content = (tmp_path / "out" / "made.tflite").read_bytes()
    again = tmp_path / "again"
    again.mkdir()
    experiment = prepared(again, 'format = "static_wi8_ai8"', content=content)
    with pytest.raises(UsageError, match="has no kernel of real numbers left"):
        quantize(experiment, "made", None, again / "inputs", again / "out")


@pytest.mark.parametrize(("count", "apart"), [(60, 20), (40, 0)])
def test_what_chooses_and_what_judges_has_the_same_file(tmp_path: Path, count: int, apart: int) -> None:
    made, cards = {}, {}
    for part in ("choose", "judge"):
        folder = tmp_path / part
        folder.mkdir()
        experiment = prepared(folder, 'format = "static_wi8_ai8"', count=count, part=part)
        made[part] = quantize(experiment, "made", None, folder / "inputs", folder / "out")
        cards[part] = read(folder / "inputs" / "inputs.json", Samples)
    assert made["choose"].model.sha256 == made["judge"].model.sha256
    whole = prepared(tmp_path, 'format = "static_wi8_ai8"', count=count)
    other = quantize(whole, "made", None, tmp_path / "inputs", tmp_path / "out")
    assert other.model.sha256 != made["choose"].model.sha256
    assert [card.count for card in cards.values()] == [20, 20]
    # With few samples those that are chosen on calibrate, and those that judge never do.
    assert (cards["choose"].apart, cards["judge"].apart) == (apart, 20)
    assert set(cards["choose"].names).isdisjoint(cards["judge"].names)


def test_samples_that_are_drawn_have_no_parts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="samples that are drawn have no parts"):
        prepared(tmp_path, 'format = "dynamic_wi8_afp32"', real=False, part="choose")


def test_every_operator_says_in_which_format_it_is(tmp_path: Path) -> None:
    variant = made(tmp_path, 'format = "dynamic_wi8_afp32"')
    (report,) = variant.passes
    names = {name for part in by_output(TINY) for name in part.outputs}
    assert report.name == "convert" and {note.layer for note in report.layers} <= names
    assert [note.changed for note in report.layers] == [
        True,
        False,
        True,
        False,
    ]  # convolution, reshape, matrix, softmax
