"""Two files on the same inputs: what is drawn, which port is which, and values that are no finite numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.schema.inspection import Comparison, OutputDifference
from jobs.inspect.stage import inspect_files
from tests.command import command
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor
from tests.unit.common.tflite.test_work import dense, options, signature

FLOAT = "FLOAT32"


def compared(first: Path, second: Path) -> Comparison:
    found = inspect_files(first, second).comparison
    assert found is not None
    return found


def outputs(first: Path, second: Path) -> OutputDifference:
    found = compared(first, second)
    assert found.outputs is not None, found.not_run
    return found.outputs


def written(path: Path, parts: Any, codes: list[str], buffers: tuple[bytes, ...] = (), ways: Any = ()) -> Path:
    made = model([parts], codes, buffers)
    made.signatureDefs = list(ways)
    path.write_bytes(packed(made))
    return path


def chain(path: Path, *codes: str) -> Path:
    """x [1, 4] through operators of one input."""
    parts = [tensor(f"t{n}", (1, 4), FLOAT) for n in range(len(codes) + 1)]
    steps = [operator(n, (n,), (n + 1,)) for n in range(len(codes))]
    return written(path, graph(parts, steps, (0,), (len(codes),)), list(codes))


def test_nan_is_said_and_never_no_difference(tmp_path: Path) -> None:
    found = outputs(chain(tmp_path / "a.tflite", "NEG", "ABS"), chain(tmp_path / "b.tflite", "NEG", "SQRT"))
    assert (found.max_abs_difference, found.nan, found.infinite, found.values) == (None, (0, 128), (0, 0), 128)
    assert found.same_top1 == 0
    told = command("inspect", tmp_path / "a.tflite", tmp_path / "b.tflite").stdout
    assert "NaN, where the other file has another value" in told
    assert "128 of 128" not in told
    assert "0 of 128 in the first file, 128 in the second" in told


def test_a_file_that_gives_nan_equals_itself(tmp_path: Path) -> None:
    path = chain(tmp_path / "b.tflite", "NEG", "SQRT")
    found = outputs(path, path)
    assert (found.max_abs_difference, found.nan, found.same_top1) == (0, (128, 128), 1)


def test_infinity_is_said(tmp_path: Path) -> None:
    ends = [tensor("x", (1, 4), FLOAT), tensor("c", (4,), FLOAT, 1), tensor("y", (1, 4), FLOAT)]
    parts = graph(ends, [options(operator(0, (1, 0), (2,)), "DivOptions")], (0,), (2,))
    infinite = written(tmp_path / "inf.tflite", parts, ["DIV"], (np.full(4, np.inf, np.float32).tobytes(),))
    found = outputs(chain(tmp_path / "a.tflite", "ABS"), infinite)
    assert (found.max_abs_difference, found.nan, found.infinite) == (None, (0, 0), (0, 128))
    assert outputs(infinite, infinite).max_abs_difference == 0


def quantised(path: Path, code: str, kind: str, scale: float, zero: int = 0) -> Path:
    given = tensor("x", (1, 6), kind, scales=[scale])
    given.quantization.zeroPoint = [zero]
    parts = [given, tensor("r", (1, 6), FLOAT), tensor("y", (1, 6), FLOAT)]
    return written(
        path, graph(parts, [operator(0, (0,), (1,)), operator(1, (1,), (2,))], (0,), (2,)), ["DEQUANTIZE", code]
    )


@pytest.mark.parametrize(("kind", "zero", "low", "high"), [("UINT8", 0, 0, 255), ("INT8", 0, -128, 127)])
def test_a_quantised_input_is_drawn_over_all_that_it_can_hold(
    tmp_path: Path, kind: str, zero: int, low: float, high: float
) -> None:
    first = quantised(tmp_path / "a.tflite", "ABS", kind, 1.0, zero)
    second = quantised(tmp_path / "b.tflite", "RELU6", kind, 1.0, zero)
    found = outputs(first, second)
    assert (found.inputs[0].low, found.inputs[0].high) == (low, high)
    assert (found.max_abs_difference or 0) > 0.9 * max(high, -low)


def test_a_float_input_is_drawn_over_what_the_other_files_quantisation_holds(tmp_path: Path) -> None:
    ends = [tensor("x", (1, 6), FLOAT), tensor("y", (1, 6), FLOAT)]
    plain = written(tmp_path / "a.tflite", graph(ends, [operator(0, (0,), (1,))], (0,), (1,)), ["ABS"])
    found = outputs(plain, quantised(tmp_path / "b.tflite", "ABS", "INT8", 0.5, -28))
    assert (found.inputs[0].low, found.inputs[0].high, found.inputs[0].why) == (
        -50,
        77.5,
        "what its quantisation can hold",
    )
    assert (found.max_abs_difference or 1) <= 0.2501


def test_bytes_without_a_scale_are_0_to_255(tmp_path: Path) -> None:
    ends = [tensor("image", (1, 6), "UINT8"), tensor("y", (1, 6), FLOAT)]
    path = written(tmp_path / "c.tflite", graph(ends, [operator(0, (0,), (1,))], (0,), (1,)), ["CAST"])
    found = outputs(path, path)
    assert (found.inputs[0].low, found.inputs[0].high, found.inputs[0].whole) == (0, 255, True)


def embedding(path: Path, kind: str, rows: int, scale: float) -> Path:
    table = np.random.default_rng(0).random((rows, 3), np.float32)[:rows] * np.float32(scale)
    parts = [tensor("ids", (1, 5), kind), tensor("table", (rows, 3), FLOAT, 1), tensor("y", (1, 5, 3), FLOAT)]
    return written(path, graph(parts, [operator(0, (1, 0), (2,))], (0,), (2,)), ["GATHER"], (table.tobytes(),))


def test_tokens_are_drawn_among_the_rows_of_both_tables(tmp_path: Path) -> None:
    first = embedding(tmp_path / "a.tflite", "INT32", 50, 1.0)
    second = embedding(tmp_path / "b.tflite", "INT64", 40, 2.0)
    found = outputs(first, second)
    assert (found.inputs[0].low, found.inputs[0].high, found.inputs[0].whole) == (0, 39, True)
    assert 0.5 < (found.max_abs_difference or 0) <= 1


def subtraction(path: Path, order: tuple[int, int], names: bool, tensors: tuple[str, str] = ("a", "b")) -> Path:
    parts = [tensor(tensors[0], (1, 4), FLOAT), tensor(tensors[1], (1, 4), FLOAT), tensor("y", (1, 4), FLOAT)]
    made = graph(parts, [options(operator(0, (0, 1), (2,)), "SubOptions")], order, (2,))
    ways = [signature("serving_default", 0, {"left": 0, "right": 1}, {"y": 2})] if names else []
    return written(path, made, ["SUB"], (), ways)


@pytest.mark.parametrize("names", [True, False])
def test_ports_in_another_order_are_paired_by_name(tmp_path: Path, names: bool) -> None:
    first = subtraction(tmp_path / "a.tflite", (0, 1), names)
    second = subtraction(tmp_path / "b.tflite", (1, 0), names)
    found = outputs(first, second)
    assert found.max_abs_difference == 0
    assert [(each.first, each.second) for each in found.inputs] == (
        [("left", "left"), ("right", "right")] if names else [("a", "a"), ("b", "b")]
    )


def test_a_signatures_names_are_paired_with_those_of_tensors(tmp_path: Path) -> None:
    first = subtraction(tmp_path / "a.tflite", (0, 1), True)
    names = ("serving_default_left:0", "serving_default_right:0")
    second = subtraction(tmp_path / "b.tflite", (1, 0), False, names)
    assert outputs(first, second).max_abs_difference == 0


def test_ports_without_common_names_go_by_their_order(tmp_path: Path) -> None:
    first = subtraction(tmp_path / "a.tflite", (0, 1), True)
    second = subtraction(tmp_path / "b.tflite", (0, 1), False, ("p", "q"))
    assert outputs(first, second).max_abs_difference == 0


def sided(path: Path, rows: int, open_rows: int) -> Path:
    parts = [tensor("x", (rows, 4), FLOAT), tensor("y", (rows, 4), FLOAT)]
    for part in parts:
        part.shapeSignature = [open_rows, 4]
    return written(path, graph(parts, [operator(0, (0,), (1,))], (0,), (1,)), ["ABS"])


def test_an_open_side_takes_what_the_other_file_has(tmp_path: Path) -> None:
    found = outputs(sided(tmp_path / "a.tflite", 1, -1), sided(tmp_path / "b.tflite", 3, 3))
    assert (found.values, found.max_abs_difference) == (32 * 12, 0)
    told = command("inspect", tmp_path / "a.tflite").stdout
    assert "-1×4" in told  # noqa: RUF001


def test_a_shape_that_is_all_open_and_not_stored_is_filled(tmp_path: Path) -> None:
    parts = [tensor("x", (), FLOAT), tensor("y", (), FLOAT)]
    for part in parts:
        part.shapeSignature = [-1, 4]
    path = written(tmp_path / "a.tflite", graph(parts, [operator(0, (0,), (1,))], (0,), (1,)), ["ABS"])
    assert outputs(path, path).values == 32 * 4


def test_closed_sides_that_differ_are_not_run(tmp_path: Path) -> None:
    found = compared(sided(tmp_path / "a.tflite", 2, 2), sided(tmp_path / "b.tflite", 3, 3))
    assert (found.outputs, found.not_run) == (None, "their inputs have different shapes")


def test_a_single_value_has_no_largest_place(tmp_path: Path) -> None:
    ends = [tensor("x", (1, 1), FLOAT), tensor("y", (1, 1), FLOAT)]
    path = written(tmp_path / "a.tflite", graph(ends, [operator(0, (0,), (1,))], (0,), (1,)), ["ABS"])
    assert outputs(path, path).same_top1 is None
    assert "same largest output" not in command("inspect", path, path).stdout


def test_text_is_not_drawn(tmp_path: Path) -> None:
    ends = [tensor("x", (1,), "STRING"), tensor("y", (1,), "STRING")]
    path = written(tmp_path / "a.tflite", graph(ends, [operator(0, (0,), (1,))], (0,), (1,)), ["ABS"])
    assert compared(path, path).not_run == "an input is of type string"


def test_first_subgraphs_of_other_signatures_are_not_taken_for_one_another(tmp_path: Path) -> None:
    paths = []
    for name, order in (("a", (4, 1)), ("b", (1, 4))):
        made = model([dense(rows, "g") for rows in order], ["FULLY_CONNECTED"], [bytes(96)])
        ways = ("prefill", "decode") if name == "a" else ("decode", "prefill")
        made.signatureDefs = [signature(way, number, {"x": 0}, {"y": 2}) for number, way in enumerate(ways)]
        paths.append(tmp_path / f"{name}.tflite")
        paths[-1].write_bytes(packed(made))
    assert compared(*paths).not_run == "their first subgraphs have other signatures: prefill and decode"
    assert compared(paths[0], paths[0]).outputs is not None


def two_outputs(path: Path, order: tuple[int, int]) -> Path:
    parts = [tensor("x", (1, 4), FLOAT), tensor("minus", (1, 4), FLOAT), tensor("root", (1, 4), FLOAT)]
    made = graph(parts, [operator(0, (0,), (1,)), operator(1, (0,), (2,))], (0,), order)
    return written(path, made, ["NEG", "SQRT"], (), [signature("s", 0, {"x": 0}, {"m": 1, "r": 2})])


def test_outputs_in_another_order_are_paired_by_name(tmp_path: Path) -> None:
    first, second = two_outputs(tmp_path / "a.tflite", (1, 2)), two_outputs(tmp_path / "b.tflite", (2, 1))
    assert outputs(first, second).max_abs_difference == 0


def test_whole_numbers_that_real_ones_do_not_tell_apart_differ(tmp_path: Path) -> None:
    def moved(name: str, by: int) -> Path:
        ends = [tensor("x", (1, 4), "INT64"), tensor("c", (1, 4), "INT64", 1), tensor("y", (1, 4), "INT64")]
        parts = graph(ends, [options(operator(0, (0, 1), (2,)), "AddOptions")], (0,), (2,))
        return written(tmp_path / name, parts, ["ADD"], (np.full(4, by).tobytes(),))

    first = moved("a.tflite", 1 << 60)
    assert outputs(first, moved("b.tflite", (1 << 60) + 1)).max_abs_difference == 1
    assert outputs(first, first).max_abs_difference == 0


def test_outputs_without_values_are_said_to_have_none(tmp_path: Path) -> None:
    ends = [tensor("x", (1, 4), FLOAT), tensor("b", (2,), "INT32", 1), tensor("n", (2,), "INT32", 2)]
    parts = graph([*ends, tensor("y", (0, 4), FLOAT)], [operator(0, (0, 1, 2), (3,))], (0,), (3,))
    sides = np.array([0, 0, 0, 4], np.int32)
    path = written(tmp_path / "a.tflite", parts, ["SLICE"], (sides[:2].tobytes(), sides[2:].tobytes()))
    assert outputs(path, path).values == 0
    assert "none: the outputs hold no values" in command("inspect", path, path).stdout
