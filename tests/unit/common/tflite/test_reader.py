"""Reading .tflite files: files of known content, and files that are not what they say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import EdgeproofError
from common.tflite.reader import inspect
from tests.conftest import Chain


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


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0JFIF", b"plain text that is long enough to have a body"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(EdgeproofError, match=r"not a \.tflite file: the identifier"):
        inspect(content)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_raises_anything_else(known: bytes, data: Any) -> None:
    content = bytearray(known)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(content)))
    try:
        inspect(bytes(content[:cut]))
    except EdgeproofError as error:
        assert "damaged" in str(error)
