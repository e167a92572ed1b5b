"""Which names the operators of a file are chosen by."""

from common.tflite.parts import by_layer, by_output, chosen, unreached
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor


def content() -> bytes:
    """Two fused layers, a matrix whose kernel alone tells its layer, and what follows it without a name."""
    tensors = [
        tensor("x", (1, 4), "FLOAT32"),
        tensor("net/one/MatMul", (4, 4), "FLOAT32", 1),
        tensor("net/one_relu/Relu;net/one/MatMul", (1, 4), "FLOAT32"),
        tensor("net/two/MatMul", (4, 4), "FLOAT32", 2),
        tensor("", (1, 4), "FLOAT32"),
        tensor("StatefulPartitionedCall:0", (1, 4), "FLOAT32"),
    ]
    steps = [operator(0, (0, 1, -1), (2,)), operator(0, (2, 3, -1), (4,)), operator(1, (4,), (5,))]
    parts = graph(tensors, steps, (0,), (5,))
    return packed(model([parts], ["FULLY_CONNECTED", "SOFTMAX"], [bytes(64), bytes(64)]))


def test_layers_are_told_by_outputs_then_by_constants_then_by_what_came_before() -> None:
    found = by_layer(content(), ("one", "one_relu", "two", "three"))
    assert [part.names for part in found] == [("one_relu", "one"), ("two",), ("two",)]
    assert [part.owner for part in found] == ["one", "two", "two"]
    assert [(part.reads, part.gives) for part in found] == [(True, False), (False, False), (False, True)]


def test_a_layer_that_stands_in_anothers_place_has_its_name_too() -> None:
    found = by_layer(content(), ("one", "one_relu", "two"), {"two": "before", "one": "first"})
    assert [part.names for part in found] == [("first", "one_relu", "one"), ("before", "two"), ("before", "two")]
    assert [part.owner for part in found] == ["one", "two", "two"]


def test_without_layers_an_operator_is_what_it_gives() -> None:
    names = [part.names for part in by_output(content())]
    assert names == [("net/one_relu/Relu;net/one/MatMul",), ("",), ("StatefulPartitionedCall:0",)]


def test_the_last_pattern_that_matches_counts() -> None:
    one, two, _ = by_layer(content(), ("one", "one_relu", "two"))
    patterns = {"*": "a", "*_relu": "b", "t?o": "c"}
    assert [chosen(patterns, part, "none") for part in (one, two)] == ["b", "c"]
    assert chosen({"one": "a"}, two, "none") == "none"
    assert unreached(("two", "tw", "one*"), (one, two)) == ("tw",)
