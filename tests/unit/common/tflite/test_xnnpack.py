"""The verdicts on XNNPACK, held against what the real runtime delegates, operator by operator."""

from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from common.tflite.reader import inspect
from common.tflite.xnnpack import CHECKED_WITH
from tests.conftest import Chain
from tests.unit.common.tflite.asked_here import taken_here
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor
from tests.unit.common.tflite.xnnpack_cases import CONVERTED

SHAPE = (1, 8, 8, 4)
FORMATS = ("float32", "dynamic_range", "float16", "int8", "int16x8")


def delegated(content: bytes) -> dict[int, bool]:
    """For each operator of the main graph whether the runtime gave it to XNNPACK, as it joins them for real.

    A DELEGATE node stands for all operators between its inputs and its outputs; what leads to none of them is not seen.
    """
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    nodes = [(int(n["index"]), n["op_name"], *_ends(n)) for n in interpreter._get_ops_details()]
    operators = [(index, inputs, outputs) for index, name, inputs, outputs in nodes if name != "DELEGATE"]
    taken: set[int] = set()
    for _, name, inputs, outputs in nodes:
        wanted = set(outputs) if name == "DELEGATE" else set()
        for index, read, written in reversed(operators):
            if wanted & set(written):
                taken.add(index)
                wanted |= set(read) - set(inputs)
    return {index: index in taken for index, _, _ in operators}


def _ends(node: dict[str, Any]) -> tuple[list[int], list[int]]:
    return [int(i) for i in node["inputs"] if i >= 0], [int(i) for i in node["outputs"] if i >= 0]


def branches() -> dict[str, Callable[[Any], Any]]:
    """One network each, from an input of SHAPE; together what classifiers are made of, and more."""
    import tensorflow as tf

    random = np.random.default_rng(0)

    def weights(*shape: int) -> Any:
        return tf.constant(random.normal(size=shape).astype(np.float32))

    kernels = weights(3, 3, 4, 32), weights(17, 17, 4, 1), weights(3, 3, 32, 4), weights(256, 8), weights(32, 64)
    return {
        "conv": lambda x: tf.nn.relu(tf.nn.conv2d(x, kernels[0], 1, "SAME") + weights(32)),
        "depthwise": lambda x: tf.nn.depthwise_conv2d(x, kernels[1], [1, 1, 1, 1], "SAME"),
        "transposed": lambda x: tf.nn.conv2d_transpose(x, kernels[2], [1, 16, 16, 32], 2, "SAME"),
        "dense": lambda x: tf.matmul(tf.reshape(x, [1, 256]), kernels[3]),
        "matrices": lambda x: tf.matmul(x, x, transpose_b=True),
        "matrices at zero": lambda x: tf.matmul(tf.tanh(x), tf.tanh(x), transpose_b=True),
        "matrix": lambda x: tf.matmul(tf.reshape(x, [1, 8, 32]), kernels[4]),
        "average pool": lambda x: tf.nn.avg_pool2d(x, 2, 2, "SAME"),
        "max pool": lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME"),
        "thinning": lambda x: tf.nn.max_pool2d(x, 1, 2, "SAME"),
        "softmax": tf.nn.softmax,
        "logistic": lambda x: tf.sigmoid(x) * tf.tanh(x),
        "elu": tf.nn.elu,
        "leaky": lambda x: tf.nn.leaky_relu(x, 0.1),
        "gelu": tf.nn.gelu,
        "hard swish": lambda x: x * tf.nn.relu6(x + 3) / 6,
        "arithmetic": lambda x: tf.math.log(tf.exp(tf.abs(x) * 0.1) + 1.0) / (tf.abs(x) + 1.0) - 0.5,
        "roots": lambda x: tf.math.rsqrt(tf.sqrt(tf.abs(x)) + 1.0),
        "extremes": lambda x: tf.maximum(x, tf.minimum(x * 0.3, 0.1)),
        "mean": lambda x: tf.reduce_mean(x, [1, 2]),
        "reductions": lambda x: tf.reduce_sum(x, [1, 2]) + tf.reduce_max(x, [1, 2]) - tf.reduce_min(x, [1, 2]),
        "layout": lambda x: tf.transpose(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), [0, 3, 1, 2]),
        "resize": lambda x: tf.image.resize(x, (16, 16)),
        "nearest": lambda x: tf.image.resize(x, (16, 16), "nearest"),
        "slices": lambda x: x[:, 1:5, 1:5, :],
        "every other": lambda x: x[:, ::2, ::2, :],
        "blocks": lambda x: tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2), 2),
        "split": lambda x: tf.concat(tf.split(tf.nn.relu(x), 2, 3), 2),
        "many": lambda x: tf.concat([x * float(i + 1) for i in range(6)], 3),
        "largest": lambda x: tf.argmax(x, 3),
        "power": lambda x: tf.pow(tf.abs(x), 1.3),
        "gather": lambda x: tf.gather(x, [0, 1], axis=3),
    }


@cache
def converted(kind: str) -> bytes:
    """All branches in one file of a format."""
    import tensorflow as tf

    parts = branches()
    specification = tf.TensorSpec(SHAPE)
    module = tf.Module()
    function = tf.function(lambda x: [part(x) for part in parts.values()], input_signature=[specification])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    integers = {
        "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
    }
    if kind in integers:
        draw = np.random.default_rng(1)
        converter.representative_dataset = lambda: ([draw.normal(size=SHAPE).astype(np.float32)] for _ in range(3))
        converter.target_spec.supported_ops = [integers[kind], tf.lite.OpsSet.TFLITE_BUILTINS]
    content: bytes = converter.convert()
    return content


@pytest.mark.parametrize("kind", FORMATS)
def test_verdicts_are_those_of_the_runtime(kind: str) -> None:
    content = converted(kind)
    taken, table = taken_here(content), inspect(content).table
    assert len(table) == len(taken) >= 40
    assert not [op for op in table if taken[op.index] != (op.refusal is None)]


@pytest.mark.parametrize("kind", FORMATS)
def test_xnnpack_takes_the_same_whether_it_joins_operators_or_keeps_them_apart(kind: str) -> None:
    content = converted(kind)
    assert list(delegated(content).values()) == list(taken_here(content))


@pytest.mark.parametrize("kind", ["INT8", "INT4"])
def test_weights_that_are_only_stored_as_integers(kind: str) -> None:
    kernel = tensor("k", (2, 64), kind, 1, scales=[0.1, 0.2])
    parts = [
        tensor("in", (1, 64), "FLOAT32"),
        kernel,
        tensor("f", (2, 64), "FLOAT32"),
        tensor("out", (1, 2), "FLOAT32"),
    ]
    steps = [operator(0, (1,), (2,)), operator(1, (0, 2, -1), (3,))]
    data = np.arange(128 if kind == "INT8" else 64, dtype=np.uint8).tobytes()
    content = packed(model([graph(parts, steps, (0,), (3,))], ["DEQUANTIZE", "FULLY_CONNECTED"], [data]))
    assert [op.refusal is None for op in inspect(content).table] == list(taken_here(content))


def test_what_the_branches_cover() -> None:
    # The test of the cases by hand counts on these.
    assert {op.name for op in inspect(converted("float32")).table} >= CONVERTED - {"DEQUANTIZE"}
    # If the converter folded them away, the test above would prove nothing.
    table = inspect(converted("int8")).table
    refused = {op.name for op in table if op.refusal == "int8 input"}
    assert {"AVERAGE_POOL_2D", "SOFTMAX", "MAXIMUM"} <= refused
    taken = {op.name for op in table if op.refusal is None}
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "LOGISTIC"} <= taken


def test_verdicts_on_the_variants(chain: Chain) -> None:
    for name in chain.variants:
        content = chain.model(name).read_bytes()
        assert [op.refusal is None for op in inspect(content).table] == list(taken_here(content)), name


def test_the_runtime_is_the_one_that_the_rules_were_checked_with() -> None:
    # When this fails: run the tests above, mend the rules, and only then write the new version here.
    assert f"ai-edge-litert {metadata.version('ai-edge-litert')}" == CHECKED_WITH
