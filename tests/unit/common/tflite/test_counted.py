"""Zeros and distinct values of constants, counted in pieces, against numpy on the whole; and what it takes."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import EdgeproofError
from common.schema.tflite import Tensor
from common.tflite import counted
from common.tflite.opened import opened
from common.tflite.reader import inspect
from tests.unit.common.tflite.handmade import dense, graph, model, operator, packed, tensor

KINDS = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8, "UINT8": np.uint8, "INT32": np.int32}


def only(content: bytes) -> Tensor:
    (found,) = inspect(content).tensors
    return found


def constant(values: np.ndarray, kind: str) -> bytes:
    return packed(model([graph([tensor("k", values.shape, kind, 1)], [], [], [])], ["ADD"], [values.tobytes()]))


def drawn(kind: str, size: int, random: np.random.Generator) -> np.ndarray:
    """Values of which some are equal, zeros of both signs, NaN and infinity among them."""
    made = random.integers(-90, 90, size)
    values: np.ndarray = np.abs(made).astype(KINDS[kind]) if kind == "UINT8" else made.astype(KINDS[kind])
    if values.dtype.kind == "f":
        values = (values / 7).astype(KINDS[kind])
        for odd in (np.nan, np.inf, -np.inf, 0.0, -0.0):
            values[random.random(size) < 0.05] = odd
    return values


@given(
    kind=st.sampled_from(sorted(KINDS)),
    shape=st.sampled_from([(4096,), (3, 700), (2, 3, 5, 60), (700, 3), (1, 5, 5, 40), ()]),
    piece=st.sampled_from([16, 100, 1 << 18]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=150)
def test_pieces_give_what_numpy_gives_for_the_whole(kind: str, shape: tuple[int, ...], piece: int, seed: int) -> None:
    values = drawn(kind, int(np.prod(shape)), np.random.default_rng(seed)).reshape(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counted, "PIECE", piece)
        patch.setattr(counted, "LONG_ROW", 500)
        found = only(constant(values, kind))
    assert found.zeros == pytest.approx(np.mean(values == 0))
    assert found.unique_per_channel == len(np.unique(values))


@given(
    kind=st.sampled_from(["FLOAT32", "FLOAT16", "INT8"]),
    axis=st.sampled_from([0, 3]),
    piece=st.sampled_from([7, 1 << 18]),
)
@settings(deadline=None, max_examples=40)
def test_pieces_give_what_numpy_gives_for_every_channel(kind: str, axis: int, piece: int) -> None:
    shape = (6, 3, 3, 5) if axis == 0 else (1, 3, 7, 6)
    values = drawn(kind, int(np.prod(shape)), np.random.default_rng(1)).reshape(shape)
    code = "CONV_2D" if axis == 0 else "DEPTHWISE_CONV_2D"
    ends = [tensor("x", (1, 8, 8, 5), "FLOAT32"), tensor("k", shape, kind, 1), tensor("y", (1, 8, 8, 6), "FLOAT32")]
    made = graph(ends, [operator(0, (0, 1), (2,))], (0,), (2,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counted, "PIECE", piece)
        found = only(packed(model([made], [code], [values.tobytes()])))
    channels = np.moveaxis(values, axis, 0)
    assert found.unique_per_channel == max(len(np.unique(channel)) for channel in channels)
    assert found.zeros == pytest.approx(np.mean(values == 0))


@pytest.mark.parametrize("kind", ["INT4", "UINT4", "INT2"])
@pytest.mark.parametrize("side", [5, 64, 3000])
def test_long_and_odd_rows_of_few_bits(kind: str, side: int) -> None:
    bits, low = {"INT4": (4, -8), "UINT4": (4, 0), "INT2": (2, -2)}[kind]
    values = np.random.default_rng(side).integers(low, low + 2**bits - 1, (3, side))
    flat = (values.ravel() & (2**bits - 1)).astype(np.uint8)
    flat = np.concatenate([flat, np.zeros(-len(flat) % (8 // bits), np.uint8)]).reshape(-1, 8 // bits)
    data = np.bitwise_or.reduce(flat << (bits * np.arange(8 // bits, dtype=np.uint8)), axis=1).tobytes()
    found = only(dense(tensor("k", values.shape, kind, 1, scales=[0.5] * 3), data))
    assert found.zeros == pytest.approx(np.mean(values == 0))
    assert found.unique_per_channel == max(len(np.unique(row)) for row in values)


@pytest.mark.parametrize("axis", [0, 1])
def test_zeros_are_the_zero_points_of_their_channels(axis: int) -> None:
    values = np.array([[3, 3, 3, 3], [-5, -5, -5, 0]] if axis == 0 else [[3, -5], [3, -5], [3, -5], [0, -5]], np.int8)
    kernel = tensor("k", values.shape, "INT8", 1, scales=[0.1, 0.2], axis=axis)
    kernel.quantization.zeroPoint = [3, -5]
    found = inspect(dense(kernel, values.tobytes()))
    assert found.tensors[0].zeros == 7 / 8
    rows = found.kernels[0].rows
    assert rows is not None
    assert np.count_nonzero(rows == 0) == 7


@pytest.mark.parametrize("share", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("most", [0.0, -0.0, np.nan, np.inf, 1.5])
def test_a_row_of_which_one_value_is_most(most: float, share: float) -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal(9000).astype(np.float32)
    values[random.random(9000) < share] = most
    values[:2] = 0.0, -0.0
    assert distinct_of(values, "FLOAT32") == len(np.unique(values))


@pytest.mark.parametrize("kind", ["FLOAT32", "INT32", "INT64"])
def test_rows_whose_values_begin_alike(kind: str) -> None:
    random = np.random.default_rng(0)
    close = random.integers(0, 3000, 9000)
    values = (1 + close * 2.0**-23).astype(np.float32) if kind == "FLOAT32" else (close - 9).astype(kind.lower())
    assert distinct_of(values, kind) == len(np.unique(values))


def distinct_of(values: np.ndarray, kind: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counted, "PIECE", 64)
        return only(constant(values, kind)).unique_per_channel


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("FLOAT32", (1 << 18,)), ("FLOAT32", (512, 512)), ("FLOAT16", (1 << 19,)), ("INT8", (512, 2048))],
)
def test_a_small_file_of_one_large_constant_is_not_copied(kind: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "one.tflite"
    path.write_bytes(constant((random.standard_normal(shape) * 30).astype(KINDS[kind]), kind))
    inspect(opened(path))
    tracemalloc.start()
    inspect(opened(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A map is not counted. What packs the file alone takes 0.3 MB.
    assert peak < 0.7 * path.stat().st_size


def test_masked_arrays_are_not_loaded(tmp_path: Path) -> None:
    kernel = tensor("k", (4, 9), "UINT8", 1, scales=[0.1] * 4)
    kernel.quantization.zeroPoint = [3, 1, 2, 3]
    (tmp_path / "q.tflite").write_bytes(dense(kernel, bytes(36)))
    code = (
        "import pathlib, sys; from common.tflite.reader import inspect;"
        "(one,) = inspect(pathlib.Path(sys.argv[1]).read_bytes()).tensors;"
        "print(one.quantization.zero_points, 'numpy.ma' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "q.tflite")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "(1, 2, 3) False\n"


def test_a_file_and_what_is_taken_to_read_it(tmp_path: Path) -> None:
    """A kernel of int4 for four signatures and one of floats, an embedding without channels: 24 MB."""
    random = np.random.default_rng(0)
    few = random.integers(0, 256, 2048 * 1024, dtype=np.uint8).tobytes()
    table, floats = random.random((700, 4096), np.float32), random.random((512, 2048), np.float32)
    graphs = []
    for _ in range(4):
        parts = [
            tensor("x", (1, 2048), "FLOAT32"), tensor("w", (2048, 2048), "INT4", 1, scales=[0.1] * 2048),
            tensor("y", (1, 2048), "FLOAT32"), tensor("v", (512, 2048), "FLOAT32", 2), tensor("z", (1, 512), "FLOAT32"),
            tensor("e", table.shape, "FLOAT32", 3),
        ]  # fmt: skip
        graphs.append(graph(parts, [operator(0, (0, 1, -1), (2,)), operator(0, (2, 3, -1), (4,))], (0,), (4,)))
    path = tmp_path / "large.tflite"
    path.write_bytes(packed(model(graphs, ["FULLY_CONNECTED"], [few, floats.tobytes(), table.tobytes()])))
    del few, table, floats
    inspect(opened(path))
    tracemalloc.start()
    found = inspect(opened(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.tensors) == 12
    # A map is not counted: with all of the file in memory this leaves half of it.
    assert peak < 0.5 * path.stat().st_size


def fault_of(content: bytes) -> str:
    (fault,) = inspect(content).proof.faults
    return fault


def test_what_is_wrong_with_a_tensor_costs_that_tensor() -> None:
    good, bad = tensor("good", (2, 3), "FLOAT32", 1), tensor("bad\x1b", (2, 4), "FLOAT32", 1)
    found = inspect(packed(model([graph([good, bad], [], [], [])], ["ADD"], [bytes(24)])))
    assert [each.name for each in found.tensors] == ["good"]
    assert found.proof.faults == (r"tensor 'bad\x1b' has 24 bytes of data, and its shape 32 needs",)


@pytest.mark.parametrize("scales", [[float("nan")], [0.1, float("inf"), 0.3], [float("nan")] * 3])
def test_a_scale_that_is_no_number_costs_that_scale(scales: list[float]) -> None:
    kernel = tensor("k", (3, 4), "INT8", 1, scales=scales)
    found = inspect(dense(kernel, bytes(range(12))))
    assert found.proof.faults == ("tensor 'k' has a scale that is not a finite number",)
    assert found.tensors[0].quantization is not None
    assert found.tensors[0].quantization.not_finite == sum(not np.isfinite(scale) for scale in scales)
    assert found.table[0].macs == 12


def test_a_port_of_a_scale_that_is_no_number_has_none() -> None:
    ends = [tensor("x", (1, 4), "INT8", scales=[float("nan")]), tensor("y", (1, 4), "INT8", scales=[0.5])]
    found = inspect(packed(model([graph(ends, [operator(0, (0, 0), (1,))], (0,), (1,))], ["ADD"])))
    assert (found.inputs[0].scale, found.outputs[0].scale) == (None, 0.5)
    assert "'x'" in found.proof.faults[0]


def test_zero_points_that_do_not_fit_cost_their_tensor() -> None:
    kernel = tensor("k", (3, 4), "INT8", 1, scales=[0.1, 0.2], axis=0)
    kernel.quantization.zeroPoint = [1, 2]
    assert "zero points do not fit its shape" in fault_of(dense(kernel, bytes(12)))


def test_a_file_that_is_cut_off_is_none() -> None:
    content = dense(tensor("k", (64, 64), "FLOAT32", 1), bytes(range(256)) * 64)
    with pytest.raises(EdgeproofError, match="damaged"):
        inspect(content[: len(content) // 2])


def test_an_operator_of_a_code_that_is_not_there_costs_that_operator() -> None:
    ends = [tensor("x", (1, 4), "FLOAT32"), tensor("y", (1, 4), "FLOAT32")]
    found = inspect(
        packed(model([graph(ends, [operator(7, (0,), (1,)), operator(0, (0,), (1,))], (0,), (1,))], ["ABS"]))
    )
    assert found.operators == {"ABS": 1, "UNKNOWN": 1}
    assert "the code 7, which does not exist" in found.proof.faults[0]
    assert found.table[0].macs is None
