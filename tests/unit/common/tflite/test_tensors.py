"""Values of constants: of few bits, sparse, outside of the flatbuffer; every figure is known beforehand."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.schema.tflite import Tensor
from common.tflite import constants
from common.tflite.flat import FlatTensor, Level, Sparsity
from common.tflite.reader import Inspection, inspect
from common.tflite.sparse import coordinates
from tests.unit.common.tflite.handmade import dense, graph, model, operator, packed, tensor


def kernel_of(found: Inspection) -> Tensor:
    (kernel,) = found.kernels
    return kernel.tensor


@given(st.integers(1, 6), st.integers(1, 9), st.sampled_from(["INT4", "UINT4", "INT2"]), st.randoms())
def test_values_of_few_bits(rows: int, columns: int, kind: str, random: Random) -> None:
    bits, low = {"INT4": (4, -8), "UINT4": (4, 0), "INT2": (2, -2)}[kind]
    given_values = np.array([[random.randint(low, low + 2**bits - 1) for _ in range(columns)] for _ in range(rows)])
    data = bytearray(-(-given_values.size * bits // 8))
    for at, value in enumerate(given_values.ravel()):
        data[at * bits // 8] |= (int(value) & (2**bits - 1)) << (at * bits % 8)
    found = kernel_of(inspect(dense(tensor("k", (rows, columns), kind, 1, scales=[0.5] * rows), bytes(data))))
    assert found.zeros == pytest.approx(np.mean(given_values == 0))
    assert found.unique_per_channel == max(len(set(row)) for row in given_values.tolist())
    assert (found.dtype, found.stored_bytes) == (kind.lower(), len(data))
    assert found.quantization is not None
    assert (found.quantization.scales, found.quantization.axis) == (rows, 0 if rows > 1 else None)


def encode(values: np.ndarray) -> tuple[Sparsity, np.ndarray]:
    """The converter's way: leading dimensions dense, the last one compressed."""
    rows = values.reshape(-1, values.shape[-1])
    segments = np.concatenate([[0], np.cumsum((rows != 0).sum(axis=1))])
    levels = [Level(size, None, None) for size in values.shape[:-1]]
    levels.append(Level(0, segments, np.nonzero(rows)[1]))
    return Sparsity(tuple(range(values.ndim)), (), tuple(levels)), rows[rows != 0]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_compressed_rows_come_back(shape: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(1, 5, shape) * (random.random(shape) < 0.4)
    sparsity, stored = encode(values)
    back = np.zeros_like(values)
    back[tuple(coordinates(sparsity, tuple(shape), len(stored)).T)] = stored
    assert (back == values).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([(4, 3, 5), (1, 1, 6), (5, 2, 1)]), st.sampled_from([0, 2, None]))
def test_sparse_values_of_every_channel_are_counted(seed: int, shape: tuple[int, ...], axis: int | None) -> None:
    random = np.random.default_rng(seed)
    whole = random.integers(1, 5, shape) * (random.random(shape) < 0.4)
    sparsity, stored = encode(whole)
    kernel = FlatTensor(
        name="k", shape=shape, open_shape=(), type="FLOAT32", quantization=None, zero_points=np.zeros(1, np.int64),
        buffer=1, data=stored.astype(np.float32).view(np.uint8), constant=True, variable=False,
        sparsity=sparsity,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "PLACES", 4)
        found = constants.describe(kernel, axis)
    channels = [whole] if axis is None else list(np.moveaxis(whole, axis, 0))
    if stored.size:
        assert found is not None
        assert found.zeros == pytest.approx(np.mean(whole == 0))
        assert found.unique_per_channel == max(len(np.unique(channel)) for channel in channels)


def test_blocks() -> None:
    # A 4x4 matrix of 2x2 blocks, of which the upper right and the lower left one are stored, row by row.
    levels = (
        Level(2, None, None),
        Level(0, np.array([0, 1, 2]), np.array([1, 0])),
        Level(2, None, None),
        Level(2, None, None),
    )
    places = coordinates(Sparsity((0, 1, 2, 3), (0, 1), levels), (4, 4), 8)
    back = np.zeros((4, 4), int)
    back[tuple(places.T)] = range(1, 9)
    assert back.tolist() == [[0, 0, 1, 2], [0, 0, 3, 4], [5, 6, 0, 0], [7, 8, 0, 0]]


@pytest.mark.parametrize(
    ("sparsity", "shape", "stored"),
    [
        (Sparsity((0,), (), (Level(2**31 - 1, None, None),)), (2**31 - 1,), 3),
        (Sparsity((0, 0), (), (Level(2, None, None), Level(2, None, None))), (2, 2), 4),
        (Sparsity((0,), (), (Level(0, np.array([0, 2]), np.array([0, 9])),)), (4,), 2),
        (Sparsity((0,), (), (Level(0, np.array([0, -2, 2]), np.array([0, 1])),)), (4,), 2),
        (Sparsity((0, 1), (7,), (Level(2, None, None), Level(2, None, None))), (4,), 4),
    ],
)
def test_contradictions_are_refused(sparsity: Sparsity, shape: tuple[int, ...], stored: int) -> None:
    with pytest.raises(ValueError, match=r"sparsity parameters|sparse level|lies outside|block"):
        coordinates(sparsity, shape, stored)


@pytest.mark.parametrize("half", [False, True])
def test_sparse_files_have_the_zeros_of_their_kernels(half: bool) -> None:
    import tensorflow as tf
    import tf_keras

    random = np.random.default_rng(3)
    kernel = (random.integers(1, 6, (64, 32)) * (random.random((64, 32)) < 0.2)).astype(np.float32)
    net = tf_keras.Sequential([tf_keras.layers.Input((64,)), tf_keras.layers.Dense(32, use_bias=False)])
    net.set_weights([kernel])
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    if half:
        converter.optimizations.append(tf.lite.Optimize.DEFAULT)
        converter.target_spec.supported_types = [tf.float16]
    found = kernel_of(inspect(converter.convert()))
    assert found.sparse
    assert found.stored_bytes < kernel.size * (2 if half else 4)
    assert (found.shape, found.dtype) == ((32, 64), "float16" if half else "float32")
    assert found.zeros == pytest.approx(np.mean(kernel == 0))
    assert found.unique_per_channel == max(len(np.unique(column)) for column in kernel.T)


def test_a_buffer_behind_the_flatbuffer() -> None:
    values = np.arange(6, dtype=np.float32)
    made = model([graph([tensor("k", (6,), "FLOAT32", 1)], [], [], [])], ["ADD"], [b"x"])
    made.buffers[1].data, made.buffers[1].offset, made.buffers[1].size = None, 4096, values.nbytes
    content = packed(made).ljust(4096, b"\0") + values.tobytes()
    (found,) = inspect(content).tensors
    assert (found.elements, found.unique_per_channel) == (6, 6)
    assert found.zeros == pytest.approx(1 / 6)


def test_several_subgraphs_custom_operators_and_resources() -> None:
    main = graph(
        [tensor("in", (1, 4), "FLOAT32"), tensor("state", (), "RESOURCE"), tensor("out", (-1, 4), "FLOAT32")],
        [operator(0, (), (1,)), operator(1, (0, 1), (2,))], (0,), (2,),
    )  # fmt: skip
    body = graph([tensor("k", (4,), "INT32", 1), tensor("s", (4,), "INT32")], [operator(2, (0, 0), (1,))], (), (1,))
    content = packed(model([main, body], ["VAR_HANDLE", "CUSTOM:Fire\x1b[31m", "ADD"], [bytes(16)]))
    found = inspect(content)
    assert found.operators == {"ADD": 1, "CUSTOM:Fire\x1b[31m": 1, "VAR_HANDLE": 1}
    assert [(op.subgraph, op.name, op.domain) for op in found.table][2] == (1, "ADD", "other")
    assert found.outputs[0].shape == (-1, 4)
    assert [(t.name, t.zeros) for t in found.tensors] == [("k", 1.0)]
    assert found.table[1].refusal == "XNNPACK has no such operator"


def test_shared_buffers_count_once() -> None:
    parts = [tensor("a", (3,), "FLOAT32", 1), tensor("b", (3,), "FLOAT32", 1)]
    found = inspect(packed(model([graph(parts, [], [], [])], ["ADD"], [bytes(12)])))
    assert [t.name for t in found.tensors] == ["a", "b"]
    assert found.proof.weight_bytes == 12
