"""Reading .tflite files: files of known content, and files that are not what they say."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import EdgeproofError
from common.tflite.reader import inspect
from tests.conftest import Chain
from tests.unit.common.tflite.handmade import dense, graph, model, operator, packed, tensor


@pytest.fixture(scope="module")
def known() -> bytes:
    """A dense layer of 64 x 32 of which 3/4 are zero and the rest takes two values."""
    import tensorflow as tf
    import tf_keras

    kernel = np.zeros((64, 32), np.float32)
    kernel[::4] = 0.5
    kernel[::8] = -0.25
    model = tf_keras.Sequential([tf_keras.layers.Input((64,)), tf_keras.layers.Dense(32, use_bias=False)])
    model.set_weights([kernel])
    content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return content


def test_figures_of_a_known_kernel(known: bytes) -> None:
    found = inspect(known)
    (kernel,) = found.kernels
    assert kernel.operator == "FULLY_CONNECTED"
    assert kernel.tensor.shape == (32, 64)
    assert kernel.tensor.dtype == "float32"
    assert kernel.tensor.zeros == pytest.approx(0.75)
    assert kernel.tensor.unique_per_channel == 3
    assert found.inputs[0].shape == (1, 64)
    assert found.operators == {"FULLY_CONNECTED": 1}


@pytest.mark.parametrize(
    ("name", "dtype"), [("baseline", "float32"), ("float16", "float16"), ("dynamic_range", "int8"), ("int8", "int8")]
)
def test_formats_differ_in_the_file(chain: Chain, name: str, dtype: str) -> None:
    found = inspect(chain.model(name).read_bytes())
    largest = max((kernel.tensor for kernel in found.kernels), key=lambda tensor: tensor.elements)
    assert largest.dtype == dtype
    # Merging the first separable convolution leaves one kernel in place of two.
    assert len(found.kernels) == (10 if name == "int8" else 11)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0JFIF", b"plain text that is long enough to have a body"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(EdgeproofError, match=r"not a \.tflite file: (the identifier|it is a text)"):
        inspect(content)


@pytest.fixture(scope="module")
def sound(known: bytes) -> list[bytes]:
    """Files of every sort: dense, sparse, integer, of several subgraphs with shared buffers."""
    import tensorflow as tf
    import tf_keras

    layers = tf_keras.layers
    net = tf_keras.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(8, 3), layers.ReLU(), layers.Flatten()])
    net.add(layers.Dense(8, activation="softmax"))
    net.set_weights([np.where(np.arange(w.size).reshape(w.shape) % 5, 0, w) for w in net.get_weights()])
    sparse = tf.lite.TFLiteConverter.from_keras_model(net)
    sparse.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    integer = tf.lite.TFLiteConverter.from_keras_model(net)
    integer.optimizations = [tf.lite.Optimize.DEFAULT]
    integer.representative_dataset = lambda: ([np.full((1, 8, 8, 3), x, np.float32)] for x in (0.0, 0.5, 1.0))
    parts = [tensor(name, (3, 4), "INT4", 1, scales=[0.1, 0.2, 0.3]) for name in "abc"]
    several = packed(model([graph(parts, [operator(0, (0, 1), (2,))], (), (2,))] * 3, ["ADD"], [bytes(6)]))
    return [known, sparse.convert(), integer.convert(), several]


@given(data=st.data())
@settings(max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_raises_anything_else(sound: list[bytes], data: Any) -> None:
    content = bytearray(data.draw(st.sampled_from(sound)))
    for _ in range(data.draw(st.integers(1, 4))):
        # The tables lie at both ends, the weights between them.
        at = data.draw(st.integers(8, len(content) - 1) | st.integers(8, 600) | st.integers(len(content) - 900, 2**30))
        content[min(at, len(content) - 1)] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(content)) | st.just(len(content)))
    tracemalloc.start()
    try:
        inspect(bytes(content[:cut]))
    except EdgeproofError as error:
        assert "damaged" in str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 200 * len(content) + 10_000_000


def test_a_buffer_that_many_tensors_share_is_not_counted_for_ever() -> None:
    tensors = [tensor(f"k{n}", (2**20,), "INT8", 1, scales=[0.5]) for n in range(200)]
    for zero_point, shared in enumerate(tensors):
        shared.quantization.zeroPoint = [zero_point - 100]
    content = packed(model([graph(tensors, [], [], [])], ["ADD"], [bytes(2**20)]))
    with pytest.raises(EdgeproofError, match="share more data than it holds"):
        inspect(content)


def test_a_file_without_buffers_is_read() -> None:
    ends = (tensor("in", (1, 4), "FLOAT32"), tensor("out", (1, 4), "FLOAT32"))
    made = model([graph(ends, (operator(0, (0,), (1,)),), (0,), (1,))], ["ABS"])
    made.buffers = []
    assert inspect(packed(made)).operators == {"ABS": 1}


def test_a_buffer_that_is_not_there_costs_its_tensor() -> None:
    ends = (tensor("in", (1, 4), "FLOAT32", 7), tensor("out", (1, 4), "FLOAT32"))
    made = model([graph(ends, (operator(0, (0,), (1,)),), (0,), (1,))], ["ABS"])
    found = inspect(packed(made))
    assert found.proof.faults == ("tensor 'in' names a buffer that does not exist",)
    assert [operator.name for operator in found.table] == ["ABS"]


@pytest.mark.parametrize(
    ("buffer", "more"), [(0, ()), (1, ()), (9, ("tensor 'k' names a buffer that does not exist",))]
)
def test_a_kernel_without_values_that_nothing_computes_is_told(buffer: int, more: tuple[str, ...]) -> None:
    lost = "operator 0/0 'FULLY_CONNECTED': its kernel 'k' has no values, and nothing computes it"
    assert inspect(dense(tensor("k", (3, 4), "FLOAT32", buffer), b"")).proof.faults == (*more, lost)


def test_a_kernel_that_is_given_computed_kept_or_without_elements_is_no_fault() -> None:
    kept = tensor("k", (3, 4), "FLOAT32")
    kept.isVariable = True
    assert not inspect(dense(kept, b"")).proof.faults
    assert not inspect(dense(tensor("k", (3, 0), "FLOAT32"), b"")).proof.faults
    ends = [tensor("x", (1, 4), "FLOAT32"), tensor("k", (3, 4), "FLOAT32"), tensor("y", (1, 3), "FLOAT32")]
    made = graph(ends, [operator(0, (0, 1, -1), (2,))], (0, 1), (2,))
    assert not inspect(packed(model([made], ["FULLY_CONNECTED"]))).proof.faults


@pytest.mark.parametrize(("kind", "dtype"), [("FLOAT32", np.float32), ("FLOAT16", np.float16)])
def test_values_that_are_no_numbers_are_told(kind: str, dtype: Any) -> None:
    kernel = np.array([[1, np.nan], [np.inf, -np.inf], [np.nan, 0]], dtype)
    found = inspect(dense(tensor("k", (3, 2), kind, 1), kernel.tobytes()))
    assert [(each.nan, each.infinite) for each in found.tensors] == [(2, 2)]
    assert found.proof.faults == ("tensor 'k' holds 2 NaN of 6 values", "kernel 'k' holds 2 infinite of 6 values")


def test_a_mask_may_be_infinite() -> None:
    mask = np.array([0, -np.inf], np.float32)
    ends = [tensor("x", (1, 2), "FLOAT32"), tensor("m", (1, 2), "FLOAT32", 1), tensor("y", (1, 2), "FLOAT32")]
    made = graph(ends, [operator(0, (0, 1), (2,))], (0,), (2,))
    found = inspect(packed(model([made], ["ADD"], [mask.tobytes()])))
    assert (found.tensors[0].infinite, found.proof.faults) == (1, ())


def test_damage_is_told_in_our_words() -> None:
    whole = dense(tensor("k", (3, 4), "FLOAT32", 1), bytes(48))
    with pytest.raises(EdgeproofError, match="an offset in it leads to what is none of its parts"):
        inspect(whole[:120])
