"""Saved Keras 3 models through Keras' own export: what is then in the file, and that it answers as Keras does."""

from pathlib import Path

import numpy as np
import pytest

from common.experiment import load
from common.ports import input_names, output_names
from common.schema.variant import Variant
from common.tflite.reader import inspect
from jobs.inputs.stage import sample
from tests.unit.export.conftest import Keras3


@pytest.fixture(scope="module")
def samples(keras3: Keras3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images, as the inputs stage writes them; nobody changes them."""
    folder = tmp_path_factory.mktemp("sampled")
    (folder / "images").mkdir()
    for place in range(4):
        np.save(folder / "images" / f"{place}.npy", np.random.default_rng(place).random((8, 8, 3)))
    made = keras3.export(folder, keras3.models / "image.keras", 'format = "float32"', '[inputs]\nsource = "images"')
    assert isinstance(made, Variant), made
    sample(load(folder / "mine.toml"), folder / "out", folder / "inputs")
    return folder / "inputs"


@pytest.mark.parametrize(
    ("convert", "expected"),
    [
        ('format = "float32"', ({"float32"}, "float32")),
        ('format = "float16"', ({"float16"}, "float32")),
        ('format = "dynamic_range"', ({"float32", "int8"}, "float32")),
        ('format = "int8"', ({"int8"}, "float32")),
        ('format = "int8", integer_io = true', ({"int8"}, "int8")),
        ('format = "int16x8"', ({"int8"}, "float32")),
        ('format = "weight_only_wi4_afp32"', ({"int4"}, "float32")),
        ('format = "static_wi8_ai8", layers = { "*ense*" = "float32" }', ({"float32", "int8"}, "int8")),
    ],
)
def test_a_model_is_converted_in_every_kind_of_format(
    keras3: Keras3, tmp_path: Path, samples: Path, convert: str, expected: tuple[set[str], str]
) -> None:
    made = keras3.export(tmp_path, keras3.models / "image.keras", convert, samples=str(samples))
    assert isinstance(made, Variant), made
    found = inspect((tmp_path / "out" / "made.tflite").read_bytes())
    assert {kernel.tensor.dtype for kernel in found.kernels} == expected[0]
    assert made.inputs[0].dtype == made.outputs[0].dtype == expected[1]
    assert made.recipe is None and made.pixels == (0.0, 1.0)
    assert "as a share of the largest answer" in made.promises[0].claim and made.promises[0].kept
    assert all(promise.kept or promise.waived for promise in made.promises)
    # A batch of one and no shape that is computed: delegates take all of it.
    assert made.inputs[0].shape == (1, 8, 8, 3) and not {"SHAPE", "PACK", "STRIDED_SLICE"} & set(made.operators)


def test_the_same_model_and_samples_give_the_same_bytes(keras3: Keras3, tmp_path: Path, samples: Path) -> None:
    made = [
        keras3.export(tmp_path, keras3.models / "image.keras", 'format = "int8"', samples=str(samples))
        for _ in range(2)
    ]
    assert isinstance(made[0], Variant) and isinstance(made[1], Variant)
    assert made[0].model.sha256 == made[1].model.sha256


@pytest.mark.parametrize(
    ("file", "inputs", "outputs"),
    [
        ("pair.keras", {"left", "right"}, {"less", "sum"}),
        ("text.keras", {"tokens"}, {"output_0"}),
        pytest.param("mobile.keras", None, {"output_0"}, marks=pytest.mark.slow),
        ("compiled.keras", None, {"output_0"}),
        ("plain.h5", None, {"output_0"}),
    ],
)
def test_networks_of_other_kinds_answer_as_keras_does(
    keras3: Keras3, tmp_path: Path, file: str, inputs: set[str] | None, outputs: set[str]
) -> None:
    made = keras3.export(tmp_path, keras3.models / file, 'format = "float32"')
    assert isinstance(made, Variant), made
    assert inputs is None or set(input_names(made)) == inputs
    assert set(output_names(made)) == outputs
    assert [promise.kept for promise in made.promises] == [True]


def test_open_sides_are_chosen_by_the_experiment(keras3: Keras3, tmp_path: Path) -> None:
    path = keras3.models / "open.keras"
    said = keras3.export(tmp_path, path, 'format = "float32"')
    assert isinstance(said, str) and "leaves sides of its input image open: [any, any, any, 3]" in said
    made = keras3.export(tmp_path, path, 'format = "float32"', "[inputs]\nshape = { image = [1, 20, 30, 3] }")
    assert isinstance(made, Variant) and made.inputs[0].shape == (1, 20, 30, 3)
    said = keras3.export(tmp_path, path, 'format = "float32"', "[inputs]\nshape = { image = [1, 20, 30, 4] }")
    assert isinstance(said, str) and "inputs.shape of image is [1, 20, 30, 4], but" in said


def test_an_integer_format_needs_real_samples(keras3: Keras3, tmp_path: Path) -> None:
    said = keras3.export(tmp_path, keras3.models / "image.keras", 'format = "int8"')
    assert isinstance(said, str) and "needs real samples" in said
    assert not (tmp_path / "out" / "variant.json").exists()


def test_what_nothing_of_is_quantised_is_an_error(keras3: Keras3, tmp_path: Path) -> None:
    said = keras3.export(tmp_path, keras3.models / "pair.keras", 'format = "dynamic_range"')
    assert isinstance(said, str) and "quantised kernels of the file is 0 of 0, expected at least one in int8" in said
