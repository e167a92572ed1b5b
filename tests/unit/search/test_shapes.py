"""Kernels as a cost table tells them apart: by what changes their work, and by nothing else."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import EdgeproofError
from common.schema.costs import CostTable, Kernel, Observation, Target
from jobs.search.costs import merged, predict
from jobs.search.shapes import kernels
from tests.devices import tiny_model
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

TINY = tiny_model.PATH.read_bytes()
SHAPE, WEIGHTS = (1, 8, 8, 4), (6, 3, 3, 4)


def convolution(*, kind: str = "FLOAT32", value: float = 0.0, scales: tuple[float, ...] = (), **options: Any) -> Kernel:
    """One CONV_2D, whose weights are all `value`."""
    numbers = {"FLOAT32": np.float32, "INT8": np.int8}[kind]
    tensors = (
        tensor("images", SHAPE, "FLOAT32"),
        tensor("weights", WEIGHTS, kind, 1, scales=scales),
        tensor("out", (1, 8, 8, 6), "FLOAT32"),
    )
    given_options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1, **options}
    one = operator(0, (0, 1, -1), (2,), "Conv2D", **given_options)
    data = np.full(WEIGHTS, value, numbers).tobytes()
    [found] = kernels(packed(model([graph(tensors, [one], (0,), (2,))], ["CONV_2D"], [data])))
    return found


def test_a_kernel_is_written_as_what_it_does() -> None:
    found = convolution(fusedActivationFunction=1)
    assert found.key == (
        "CONV_2D float32 (1x8x8x4:FLOAT32 6x3x3x4:FLOAT32:const -) -> (1x8x8x6:FLOAT32) "
        "[dilationHFactor=1 dilationWFactor=1 fusedActivationFunction=1 strideH=1 strideW=1]"
    )
    assert found.macs == 8 * 8 * 6 * 3 * 3 * 4
    assert found.bytes == 4 * (8 * 8 * 4 + 6 * 3 * 3 * 4 + 8 * 8 * 6)


@pytest.mark.parametrize(
    "change",
    [{"strideW": 2}, {"dilationHFactor": 2}, {"padding": 1}, {"fusedActivationFunction": 3}, {"kind": "INT8"}],
)
def test_what_changes_the_work_makes_another_kernel(change: dict[str, Any]) -> None:
    assert convolution(**change).key != convolution().key


def test_neither_weights_nor_scales_make_another_kernel() -> None:
    assert convolution(value=1.0).key == convolution().key
    per_channel = convolution(kind="INT8", scales=(0.1,) * 6)
    assert per_channel.key == convolution(kind="INT8", scales=(0.2,)).key
    assert per_channel.domain == "hybrid"


def transposed(order: tuple[int, ...]) -> str:
    tensors = (
        tensor("x", (1, 4, 4), "FLOAT32"),
        tensor("order", (3,), "INT32", 1),
        tensor("y", (1, 4, 4), "FLOAT32"),
    )
    parts = graph(tensors, [operator(0, (0, 1), (2,))], (0,), (2,))
    [found] = kernels(packed(model([parts], ["TRANSPOSE"], [np.array(order, np.int32).tobytes()])))
    return found.key


def test_small_whole_numbers_say_what_is_done() -> None:
    assert transposed((0, 2, 1)) != transposed((0, 1, 2))


def calling(inner: str) -> Kernel:
    """The main graph calls another one, which has one operator."""
    sides = [tensor(name, (1, 4), "FLOAT32") for name in "xy"]
    graphs = [graph(sides, [operator(code, (0,), (1,), *options)], (0,), (1,)) for code, options in ((0, ()), (1, ()))]
    graphs[0].operators[0] = operator(0, (0,), (1,), "Call", subgraph=1)
    [found] = kernels(packed(model(graphs, ["CALL", inner])))
    return found


def test_what_calls_another_graph_is_the_same_only_where_that_is() -> None:
    assert calling("TANH").key == calling("TANH").key != calling("LOGISTIC").key


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(TINY) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_file_is_refused_in_one_way(changes: list[tuple[int, int]]) -> None:
    content = bytearray(TINY)
    for place, value in changes:
        content[place] = value
    damaged = bytes(content)
    empty = CostTable(target=Target(device="d", fingerprint="0" * 64, backend="cpu", threads=1, tool="t"))
    try:
        kernels(damaged)
    except EdgeproofError:
        return
    table = merged(empty, [Observation(name="f", content=damaged, layers=(), latency_us=7.0)])
    assert predict(table, damaged).us == (7.0 if kernels(damaged) else None)
