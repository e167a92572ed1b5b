"""Figures of files whose operators are known: MACs by hand, numeric domains, islands, sparse inference."""

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from common.tflite.proof import deflated_bytes
from common.tflite.reader import inspect
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor


def converted(net: Any, *optimizations: str) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize[name] for name in optimizations]
    content: bytes = converter.convert()
    return content


def network(*layers: Any, shape: tuple[int, ...] = (16, 16, 3)) -> Any:
    import tf_keras

    return tf_keras.Sequential([tf_keras.layers.Input(shape), *layers])


def test_macs_by_hand() -> None:
    from tf_keras import layers

    net = network(
        layers.Conv2D(8, 3, strides=2, padding="same"),  # 8x8x8 outputs of 3x3x3
        layers.DepthwiseConv2D(3, padding="same"),  # 8x8x8 outputs of 3x3
        layers.Conv2DTranspose(4, 2, strides=2),  # 8x8x8 inputs into 2x2x4
        layers.Flatten(),
        layers.Dense(10),  # 16x16x4 inputs, 10 outputs
    )
    found = inspect(converted(net))
    macs = {op.name: op.macs for op in found.table if op.macs}
    assert macs == {
        "CONV_2D": 512 * 27,
        "DEPTHWISE_CONV_2D": 512 * 9,
        "TRANSPOSE_CONV": 512 * 16,
        "FULLY_CONNECTED": 1024 * 10,
    }
    assert found.proof.macs == sum(macs.values())
    assert sum(op.weight_bytes for op in found.table if op.name == "FULLY_CONNECTED") >= 1024 * 10 * 4


@pytest.mark.parametrize(("transposed", "first"), [(False, (2, 5, 7)), (True, (2, 7, 5))])
def test_macs_of_a_product(transposed: bool, first: tuple[int, ...]) -> None:
    from ai_edge_litert import schema_py_generated as schema

    product = operator(0, (0, 1), (2,))
    product.builtinOptionsType = schema.BuiltinOptions.BatchMatMulOptions
    product.builtinOptions = schema.BatchMatMulOptionsT()
    product.builtinOptions.adjX = transposed
    ends = [tensor(*end, "FLOAT32") for end in (("a", first), ("b", (2, 7, 3)), ("c", (2, 5, 3)))]
    found = inspect(packed(model([graph(ends, [product], (0, 1), (2,))], ["BATCH_MATMUL"])))
    assert found.proof.macs == 2 * 5 * 3 * 7


def test_dynamic_range_is_hybrid_where_weights_are_integers() -> None:
    from tf_keras import layers

    found = inspect(converted(network(layers.Flatten(), layers.Dense(16), layers.Dense(4)), "DEFAULT"))
    dense = [op.domain for op in found.table if op.name == "FULLY_CONNECTED"]
    # The second kernel is too small for the converter.
    assert dense == ["hybrid", "float32"]
    assert found.proof.int8_mac_share == 0
    assert found.proof.float_islands == ()


def test_islands_pairs_and_shares() -> None:
    """int8 ADD, DEQUANTIZE, float EXP and LOG, QUANTIZE, DEQUANTIZE, float EXP."""
    kinds = ("INT8", "INT8", "FLOAT32", "FLOAT32", "FLOAT32", "INT8", "FLOAT32", "FLOAT32")
    tensors = [tensor(f"t{i}", (1, 4), k, scales=[0.5] if k == "INT8" else ()) for i, k in enumerate(kinds)]
    codes = ["ADD", "DEQUANTIZE", "EXP", "LOG", "QUANTIZE"]
    steps = [operator(code, (at,), (at + 1,)) for at, code in enumerate((0, 1, 2, 3, 4, 1, 2))]
    steps[0].inputs = [0, 0]
    proof = inspect(packed(model([graph(tensors, steps, (0,), (7,))], codes))).proof
    assert proof.float_islands == (("EXP", "LOG"), ("EXP",))
    assert (proof.quantize, proof.dequantize, proof.pairs) == (1, 2, 1)
    assert proof.int8_operator_share == pytest.approx(1 / 4)
    assert proof.int8_mac_share is None


def cnn(**changes: Any) -> Any:
    from tf_keras import layers

    first: dict[str, Any] = {"kernel_size": 3, "strides": 2, "padding": "same"} | changes.get("first", {})
    net = network(
        layers.Conv2D(8, activation="relu", **first),
        layers.Conv2D(32, changes.get("point", 1), activation="relu"),
        layers.DepthwiseConv2D(3, padding=changes.get("padding", "same")),
        *(changes.get("extra", lambda: [])()),
        layers.Conv2D(32, 1),
        changes.get("end", layers.GlobalAveragePooling2D)(),
        layers.Dense(4),
    )
    kept = changes.get("kept", 0.2)
    random = np.random.default_rng(0)
    net.set_weights([w * (random.random(w.shape) < kept) if w.ndim > 1 else w for w in net.get_weights()])
    return net


@pytest.mark.parametrize(
    ("changes", "sparsely", "reason"),
    [
        ({}, True, None),
        ({}, False, "not stored sparsely"),
        ({"kept": 0.45}, True, r"5\d% of the weights of 1x1 convolutions are zero"),
        ({"first": {"strides": 1}}, True, "first convolution is 3x3 of stride 1"),
        ({"first": {"padding": "valid"}}, True, "not padded"),
        ({"point": 3}, True, "a convolution is 3x3"),
        ({"padding": "valid"}, True, "depthwise convolution is 3x3, or dilated, or not padded"),
    ],
)
def test_sparse_inference(changes: dict[str, Any], sparsely: bool, reason: str | None) -> None:
    verdict = inspect(converted(cnn(**changes), *(("EXPERIMENTAL_SPARSITY",) if sparsely else ()))).proof.sparse_refusal
    assert (verdict is None) == (reason is None)
    assert reason is None or re.search(reason, verdict or "")


@pytest.mark.parametrize("layer", ["MaxPooling2D", "Softmax"])
def test_sparse_inference_has_few_operators(layer: str) -> None:
    from tf_keras import layers

    made: Callable[[], Any] = getattr(layers, layer)
    verdict = inspect(converted(cnn(extra=lambda: [made()]), "EXPERIMENTAL_SPARSITY")).proof.sparse_refusal
    assert verdict is not None
    assert "stands among the convolutions" in verdict


def test_metadata_is_listed() -> None:
    from tf_keras import layers

    assert "min_runtime_version" in inspect(converted(network(layers.Flatten()))).proof.metadata


def test_what_is_packed_is_not_kept() -> None:
    # Nothing of it gets smaller.
    content = np.random.default_rng(0).bytes(4 << 20)
    tracemalloc.start()
    size = deflated_bytes(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > len(content)
    assert peak < 1 << 19
