"""Multiply-accumulates and number types of what no converter here writes, every figure by hand."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from common.tflite.reader import Inspection, inspect
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor


def options(made: Any, kind: str, **values: Any) -> Any:
    """The operator with these options."""
    made.builtinOptionsType = getattr(schema.BuiltinOptions, kind, 0)
    made.builtinOptions = getattr(schema, kind + "T")()
    if not made.builtinOptionsType:
        made.builtinOptions2Type, made.builtinOptions2 = getattr(schema.BuiltinOptions2, kind), made.builtinOptions
        made.builtinOptions = None
    for name, value in values.items():
        setattr(made.builtinOptions or made.builtinOptions2, name, value)
    return made


def single(code: str, inputs: list[Any], output: tuple[int, ...], kind: str = "FLOAT32") -> Inspection:
    """A file of one operator; inputs are tensors, constants of buffer 1, or None for one left out."""
    tensors = [each for each in inputs if each is not None]
    places = [-1 if each is None else next(i for i, t in enumerate(tensors) if t is each) for each in inputs]
    tensors.append(tensor("out", output, kind, scales=[0.1] if kind != "FLOAT32" else ()))
    made = graph(tensors, [operator(0, places, [len(tensors) - 1])], [0], [len(tensors) - 1])
    return inspect(packed(model([made], [code])))


def moving(*shape: int) -> Any:
    return tensor("x", shape, "FLOAT32")


def weight(*shape: int, kind: str = "INT8") -> Any:
    return tensor("w", shape, kind, scales=[0.1])


def lstm(units: int, read: int, *, projected: int = 0, coupled: bool = False) -> list[Any]:
    """The first inputs of an LSTM without peepholes: matrices of inputs and state, biases, projection."""
    state = projected or units
    ins: list[Any] = [weight(units, read) for _ in range(4)]
    back: list[Any] = [weight(units, state) for _ in range(4)]
    if coupled:
        ins[0] = back[0] = None
    biases = [tensor(f"b{n}", (units,), "FLOAT32") for n in range(4)]
    return [*ins, *back, None, None, None, *biases, weight(projected, units) if projected else None, None]


@pytest.mark.parametrize(
    ("code", "inputs", "output", "macs"),
    [
        # Six steps of four gates, 40 units that read 40 inputs and their own state.
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [moving(1, 6, 40), *lstm(40, 40)], (1, 6, 40), 6 * 4 * 2 * 1600),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [moving(2, 3, 8), *lstm(4, 8, coupled=True)], (2, 3, 4), 6 * 3 * (32 + 16)),
        ("LSTM", [moving(2, 8), *lstm(16, 8, projected=5)], (2, 5), 2 * (4 * 16 * 8 + 4 * 16 * 5 + 5 * 16)),
        ("LSTM", [moving(2, 8), moving(2, 4), weight(16, 12), moving(16), moving(2, 4)], (2, 4), 2 * 16 * 12),
        ("RNN", [moving(3, 8), weight(4, 8), weight(4, 4), moving(4), moving(3, 4)], (3, 4), 3 * (32 + 16)),
        ("UNIDIRECTIONAL_SEQUENCE_RNN", [moving(2, 5, 8), weight(4, 8), weight(4, 4)], (2, 5, 4), 10 * (32 + 16)),
        (
            "BIDIRECTIONAL_SEQUENCE_RNN",
            [moving(2, 5, 8), *[weight(4, 8), weight(4, 4), moving(4), moving(2, 4)] * 2, None, None, None],
            (2, 5, 8),
            10 * 2 * (32 + 16),
        ),
        ("SVDF", [moving(2, 8), weight(6, 8), weight(6, 10), None, moving(2, 60)], (2, 3), 2 * 6 * (8 + 10)),
        # 2x3x4 outputs of 5 channels from windows of 2x3x3 on 6 channels.
        ("CONV_3D", [moving(1, 3, 5, 6, 6), weight(2, 3, 3, 6, 5)], (1, 2, 3, 4, 5), 24 * 5 * 18 * 6),
        (
            "CONV_3D_TRANSPOSE",
            [tensor("s", (5,), "INT32"), weight(2, 2, 2, 5, 6), moving(1, 2, 3, 4, 6)],
            (1, 4, 6, 8, 5),
            24 * 6 * 8 * 5,
        ),
        ("BATCH_MATMUL", [moving(2, 5, 7), weight(2, 7, 3)], (2, 5, 3), 2 * 5 * 3 * 7),
        ("CUSTOM:Convolution2DTransposeBias", [moving(1, 4, 4, 8), weight(2, 2, 2, 8)], (1, 8, 8, 2), 128 * 8),
    ],
)
def test_every_product_is_counted_and_integer_weights_of_float_operators_are_hybrid(
    code: str, inputs: list[Any], output: tuple[int, ...], macs: int
) -> None:
    found = single(code, inputs, output)
    assert (found.table[0].macs, found.proof.macs, found.proof.uncounted) == (macs, macs, ())
    assert found.table[0].domain == "hybrid"
    assert found.proof.int8_mac_share == 0


def test_an_integer_lstm_is_int8() -> None:
    given = tensor("x", (1, 6, 40), "INT8", scales=[0.1])
    found = single("UNIDIRECTIONAL_SEQUENCE_LSTM", [given, *lstm(40, 40)], (1, 6, 40), "INT8")
    assert (found.table[0].domain, found.proof.int8_mac_share) == ("int8", 1)


@pytest.mark.parametrize(
    ("code", "inputs", "output", "reason"),
    [
        ("CONV_2D", [moving(1, 8, 8, 4), weight(2, 3, 3, 4)], (), "a shape is not in the file"),
        ("FULLY_CONNECTED", [moving(1, 8), weight(4, 8)], (), "a shape is not in the file"),
        ("FULLY_CONNECTED", [moving(1, 8), weight(4, 2, 4)], (1, 4), "its shapes are unusual"),
        ("CONV_2D", [moving(1, 8, 8, 4), None], (1, 8, 8, 2), "it has no kernel"),
        ("CONV_2D", [moving(1, 8, 8, 4)], (1, 8, 8, 2), "it has no kernel"),
        ("CONV_3D", [moving(1, 8, 8, 4), weight(2, 3, 3, 4)], (1, 8, 8, 2), "its shapes are unusual"),
        ("BATCH_MATMUL", [moving(7), weight(7, 3)], (3,), "its shapes are unusual"),
        ("LSTM", [moving(2, 8)], (2, 5), "it has no kernel"),
        ("SVDF", [tensor("x", (), "FLOAT32"), weight(6, 8)], (2, 3), "a shape is not in the file"),
        ("CUSTOM:FlexConv3D", [moving(1, 8), weight(4, 8)], (1, 4), "only its author knows what it computes"),
        ("CUSTOM:TFLite_Detection_PostProcess", [moving(1, 8)], (1, 4), "only its author knows what it computes"),
    ],
)
def test_what_cannot_be_counted_is_unknown_and_not_none(
    code: str, inputs: list[Any], output: tuple[int, ...], reason: str
) -> None:
    found = single(code, inputs, output)
    assert (found.table[0].macs, found.table[0].uncounted) == (None, reason)
    assert [(each.operator, each.reason, each.count) for each in found.proof.uncounted] == [(code, reason, 1)]
    assert (found.proof.macs, found.proof.int8_mac_share) == (0, None)


def dense(rows: int, name: str) -> Any:
    ends = [tensor("x", (rows, 8), "FLOAT32"), tensor("w", (3, 8), "FLOAT32", 1), tensor("y", (rows, 3), "FLOAT32")]
    made = graph(ends, [operator(0, (0, 1, -1), (2,))], (0,), (2,))
    made.name = name.encode()
    return made


def signature(name: str, number: int, inputs: dict[str, int], outputs: dict[str, int]) -> Any:
    made = schema.SignatureDefT()
    made.signatureKey, made.subgraphIndex = name.encode(), number
    made.inputs, made.outputs = [], []
    for kept, given in ((made.inputs, inputs), (made.outputs, outputs)):
        for label, index in given.items():
            port = schema.TensorMapT()
            port.name, port.tensorIndex = label.encode(), index
            kept.append(port)
    return made


def test_signatures_and_subgraphs_are_apart() -> None:
    made = model([dense(4, "prefill"), dense(1, "decode")], ["FULLY_CONNECTED"], [np.ones(24, np.float32).tobytes()])
    made.signatureDefs = [signature("p", 0, {"tokens": 0}, {"logits": 2}), signature("d", 1, {"x": 0}, {"y": 2})]
    found = inspect(packed(made))
    assert (found.proof.macs, found.proof.domains[0].operators) == (96, 1)
    assert [(each.name, each.macs, each.operators) for each in found.subgraphs] == [
        ("prefill", 96, 1),
        ("decode", 24, 1),
    ]
    assert [(way.name, way.subgraph, way.macs) for way in found.signatures] == [("p", 0, 96), ("d", 1, 24)]
    assert [(named.name, named.port.shape) for named in found.signatures[1].inputs] == [("x", (1, 8))]
    assert [each.subgraph for each in found.tensors] == [0, 1]
    assert found.proof.weight_bytes == 96


def test_a_signature_of_what_is_not_there_costs_the_signature() -> None:
    made = model([dense(4, "main")], ["FULLY_CONNECTED"], [bytes(96)])
    made.signatureDefs = [
        signature("lost", 7, {}, {}),
        signature("cut", 0, {"x": 99}, {}),
        signature("kept", 0, {}, {}),
    ]
    found = inspect(packed(made))
    assert [way.name for way in found.signatures] == ["kept"]
    assert [fault.split("'")[1] for fault in found.proof.faults] == ["lost", "cut"]


@pytest.mark.parametrize(
    ("code", "kind", "values", "macs", "reason"),
    [
        ("CALL", "CallOptions", {"subgraph": 1}, 24, None),
        ("STABLEHLO_COMPOSITE", "StableHLOCompositeOptions", {"decompositionSubgraphIndex": 1}, 24, None),
        ("CALL_ONCE", "CallOnceOptions", {"initSubgraphIndex": 1}, 0, None),
        ("IF", "IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 1}, 24, None),
        ("IF", "IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2}, None, "its input decides"),
        ("WHILE", "WhileOptions", {"condSubgraphIndex": 2, "bodySubgraphIndex": 1}, None, "its input decides"),
        ("CALL", "CallOptions", {"subgraph": 0}, None, "too deeply"),
        ("STABLEHLO_COMPOSITE", "StableHLOCompositeOptions", {"decompositionSubgraphIndex": 0}, None, "too deeply"),
        ("CALL", "CallOptions", {"subgraph": 9}, None, "does not exist"),
        ("IF", "IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 9}, None, "does not exist"),
    ],
)
def test_what_is_called_counts_where_it_is_called(
    code: str, kind: str, values: dict[str, int], macs: int | None, reason: str | None
) -> None:
    ends = [tensor("a", (1, 8), "FLOAT32"), tensor("b", (1, 3), "FLOAT32")]
    main = graph(ends, [options(operator(1, (0,), (1,)), kind, **values)], (0,), (1,))
    content = packed(model([main, dense(1, "body"), dense(2, "other")], ["FULLY_CONNECTED", code], [bytes(96)]))
    found = inspect(content)
    assert (found.table[0].macs, found.table[0].domain, found.proof.macs) == (macs, "other", macs or 0)
    assert reason is None or reason in (found.table[0].uncounted or "")
    assert {each.operator for each in found.proof.uncounted} <= {code}
    if macs and code != "IF":
        assert [(each.domain, each.operators, each.macs) for each in found.proof.domains] == [
            ("float32", 1, 24),
            ("other", 1, 0),
        ]


def test_subgraphs_that_call_each_other_for_ever_are_read() -> None:
    graphs = []
    for number in range(40):
        ends = [tensor("a", (1, 8), "FLOAT32"), tensor("b", (1, 8), "FLOAT32")]
        calls = [options(operator(0, (0,), (1,)), "CallOptions", subgraph=(number + 1) % 40) for _ in range(3)]
        graphs.append(graph(ends, calls, (0,), (1,)))
    found = inspect(packed(model(graphs, ["CALL"])))
    assert found.proof.uncounted


@pytest.mark.parametrize("code", ["SHAPE", "RANK"])
@pytest.mark.parametrize("kind", ["FLOAT32", "INT8"])
def test_what_reads_a_shape_computes_in_no_numbers(code: str, kind: str) -> None:
    scales = [0.1] if kind == "INT8" else ()
    parts = [
        tensor("x", (1, 4), kind, scales=scales),
        tensor("s", (2,), "INT32"),
        tensor("a", (1, 4), "INT8", scales=[0.1]),
    ]
    steps = [operator(0, (0,), (1,)), operator(1, (2, 2), (2,))]
    found = inspect(packed(model([graph(parts, steps, (0, 2), (1, 2))], [code, "ADD"])))
    assert [op.domain for op in found.table] == ["other", "int8"]
    assert found.proof.float_islands == ()
