"""Samples, drawn and read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.samples import read_arrays
from common.schema.inputs import Samples
from jobs.evaluate.answers import evaluate_answers
from jobs.inputs.stage import sample
from tests.given import ROWS, TINY, adding, adopted, given_files, lookup, scaled_dense
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor


def sampled(tmp_path: Path, content: bytes, more: str = "") -> tuple[LoadedExperiment, Samples, Path]:
    experiment = given_files(tmp_path, {"mine": content}, more)
    adopted(experiment, "mine", tmp_path / "variant")
    return experiment, sample(experiment, tmp_path / "variant", tmp_path / "inputs"), tmp_path / "inputs"


def test_token_ids_stay_inside_their_table(tmp_path: Path) -> None:
    _, made, folder = sampled(tmp_path, lookup(), "[inputs]\nsamples = 200")
    [ids] = read_arrays(folder, made)
    assert ids.dtype == np.int32
    assert (ids.min(), ids.max()) == (0, ROWS - 1)
    assert made.ports[0].why == "rows of the table that it indexes"


def looking_up(kind: str, ids: tuple[int, ...], found: tuple[int, ...], options: str = "", **values: int) -> bytes:
    """A table [100, 3] that is looked up by `ids`, which come second."""
    table, numbers = tensor("table", (100, 3), "FLOAT32", 1), tensor("ids", ids, "INT32")
    made = operator(0, (0, 1), (2,))
    if options:
        made.builtinOptionsType = vars(schema.BuiltinOptions)[options]
        made.builtinOptions = vars(schema)[f"{options}T"]()
        vars(made.builtinOptions).update(values)
    parts = graph((table, numbers, tensor("found", found, "FLOAT32")), (made,), (1,), (2,))
    return packed(model([parts], [kind], [bytes(1200)]))


@pytest.mark.parametrize(
    "content",
    [
        looking_up("GATHER", (5,), (100, 5), "GatherOptions", axis=1),
        looking_up("GATHER", (5,), (100, 5), "GatherOptions", axis=-1),
        looking_up("GATHER_ND", (5, 2), (5,)),
    ],
)
def test_a_table_of_other_sides_is_not_left_either(tmp_path: Path, content: bytes) -> None:
    experiment, made, folder = sampled(tmp_path, content, "[inputs]\nsamples = 50")
    [ids] = read_arrays(folder, made)
    assert (ids.min(), ids.max()) == (0, 2)
    assert evaluate_answers(experiment, tmp_path / "variant", folder, None, tmp_path / "evaluation").finite


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    _, made, folder = sampled(tmp_path, adding())
    first = read_arrays(folder, made)
    experiment = given_files(tmp_path, {"mine": adding()})
    again = read_arrays(tmp_path / "again", sample(experiment, tmp_path / "variant", tmp_path / "again"))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_a_range_that_is_given_is_drawn_from(tmp_path: Path) -> None:
    more = "[inputs]\nsamples = 50\nrange = { ids = [2, 4] }"
    _, made, folder = sampled(tmp_path, lookup(), more)
    assert set(np.unique(read_arrays(folder, made)[0])) == {2, 3}
    assert made.ports[0].why == "given"


def test_an_input_that_nobody_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'idz', which is no input of mine"):
        sampled(tmp_path, lookup(), "[inputs]\nrange = { idz = [2, 4] }")


def test_arrays_by_name_and_their_targets(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    for place in range(3):
        left, right = np.full(3, place, np.float32), np.ones((1, 3), np.float64)
        np.savez(tmp_path / "samples" / f"{place}.npz", left=left, right=right, target=np.array([place]))
    _, made, folder = sampled(tmp_path, adding(), '[inputs]\nsource = "samples"')
    left, right = read_arrays(folder, made)
    assert left.shape == (3, 1, 3) and left.dtype == right.dtype == np.float32
    assert [float(row[0, 0]) for row in left] == [0.0, 1.0, 2.0]
    assert made.names == ("0.npz", "1.npz", "2.npz")
    assert [int(np.load(folder / ref.path)[0]) for ref in made.targets] == [0, 1, 2]


def test_images_are_brought_to_the_inputs_size_and_range(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    Image.new("RGB", (30, 20), (255, 0, 128)).save(tmp_path / "samples" / "a.png")
    _, made, folder = sampled(tmp_path, TINY, '[inputs]\nsource = "samples"')
    [array] = read_arrays(folder, made)
    assert array.shape == (1, 1, 8, 8, 3)
    assert array[0, 0, 0, 0] == pytest.approx([1.0, 0.0, 128 / 255])


def test_targets_of_a_folder_by_name(tmp_path: Path) -> None:
    for name in ("samples", "targets"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "samples" / "a.npy", np.zeros(4, np.float32))
    (tmp_path / "targets" / "a.json").write_text('{"boxes": [1, 2]}')
    more = '[inputs]\nsource = "samples"\n[evaluate]\ntargets = "targets"\nscore = "score.py"'
    _, made, folder = sampled(tmp_path, scaled_dense(), more)
    assert json.loads((folder / made.targets[0].path).read_text()) == {"boxes": [1, 2]}


def objects(path: Path) -> None:
    arrays: dict[str, Any] = {"in": np.array([{}] * 4)}
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda folder: None, "holds no samples"),
        (lambda folder: np.save(folder / "a.npy", np.zeros(5, np.float32)), "has the shape [5]"),
        (lambda folder: np.save(folder / "a.npy", np.full(4, np.nan)), "no finite numbers"),
        (lambda folder: np.save(folder / "a.npy", np.array([{}] * 4), allow_pickle=True), "cannot be read"),
        (lambda folder: (folder / "a.npy").write_bytes(b"junk"), "cannot be read"),
        (lambda folder: (folder / "a.png").write_bytes(b"junk"), "is an image, but input in has the shape [1, 4]"),
        (lambda folder: np.save(folder / "a.npy", np.full(4, 1e300)), "too large for float32"),
        (lambda folder: (folder / "a.npz").write_bytes(b"PK\3\4junk"), "cannot be read"),
        (lambda folder: objects(folder / "a.npz"), "cannot be read"),
        (lambda folder: np.savez(folder / "a.npz", other=np.zeros(4)), "no array for the input in, only other"),
    ],
)
def test_samples_that_do_not_fit_are_one_line(tmp_path: Path, write: object, said: str) -> None:
    (tmp_path / "samples").mkdir()
    assert callable(write)
    write(tmp_path / "samples")
    with pytest.raises(UsageError) as caught:
        sampled(tmp_path, scaled_dense(), '[inputs]\nsource = "samples"')
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_that_are_no_whole_ones_are_no_token_ids(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full(5, 1.5))
    with pytest.raises(UsageError, match="that are no int32"):
        sampled(tmp_path, lookup(), '[inputs]\nsource = "a.npy"')
