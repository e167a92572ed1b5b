"""Each rule at the operator that it is for, beside what the runtime does with that operator."""

import pytest

from common.tflite.ask import NoPlan
from common.tflite.flat import parse
from common.tflite.xnnpack import ANY, BINARY, TYPES, UNARY, refusals
from common.tflite.xnnpack_variables import VARIABLES
from tests.unit.common.tflite.alone import I8, dense, elementwise, held, port
from tests.unit.common.tflite.asked_here import plan_here, taken_here
from tests.unit.common.tflite.xnnpack_cases import CONVERTED, cases

CASES = {name: (content, reasons) for name, content, reasons in cases()}
ELEMENTWISE = sorted({*UNARY, *BINARY} - {"QUANTIZE", "DEQUANTIZE"})


@pytest.mark.parametrize("name", CASES)
def test_the_rules_say_what_the_runtime_does(name: str) -> None:
    content, reasons = CASES[name]
    assert refusals(parse(content).graphs[0]) == reasons
    assert taken_here(content) == tuple(reason is None for reason in reasons)


@pytest.mark.parametrize("kind", ANY)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_rules_say_which_types_the_runtime_takes(name: str, kind: str) -> None:
    content = elementwise(name, kind, inputs=2 if name in BINARY else 1)
    [reason] = refusals(parse(content).graphs[0])
    plan = plan_here(content)
    if isinstance(plan, NoPlan):
        # LiteRT's own kernel lacks the type, and XNNPACK, which could stand in for it, did not.
        assert reason is not None and "TfLiteXNNPackDelegate" not in plan.why, plan
    else:
        assert (len(plan.nodes) == 2) == (reason is None)


ROW, THREE, INT8, RESULT = port((1, 8)), port((1, 3)), port((1, 8), I8, 0.1), port((1, 3), I8, 0.1)


@pytest.mark.parametrize("scale", [0.0, -0.1, 1e-40, float("nan")])
@pytest.mark.parametrize("place", ["input", "output", "kernel", "channel", "hybrid"])
def test_scales_that_xnnpack_stumbles_over_are_refused(place: str, scale: float) -> None:
    bad = (0.1, scale, 0.1) if place in ("channel", "hybrid") else (scale,)
    given = ROW if place == "hybrid" else port((1, 8), I8, scale) if place == "input" else INT8
    made = THREE if place == "hybrid" else port((1, 3), I8, scale) if place == "output" else RESULT
    kernel = held((3, 8), I8, *(bad if place in ("kernel", "channel", "hybrid") else (0.1,)))
    content = dense(given, kernel, None, made)
    plan = plan_here(content)
    # It takes the operator, and then the whole file cannot be run.
    assert isinstance(plan, NoPlan)
    assert "unsupported scale value" in plan.why
    assert "a scale that is not above zero" in (refusals(parse(content).graphs[0])[0] or "")


def test_scales_that_do_not_fit_the_kernel_are_refused() -> None:
    content = dense(INT8, held((3, 8), I8, 0.1, 0.1), None, RESULT)
    assert isinstance(plan_here(content), NoPlan)
    assert refusals(parse(content).graphs[0]) == ("2 scales for 3 channels of the kernel",)


def test_every_operator_of_the_rules_is_held_against_the_runtime() -> None:
    held = {op.name for content, _ in CASES.values() for graph in parse(content).graphs for op in graph.operators}
    assert {*TYPES, *VARIABLES} <= held | {*ELEMENTWISE} | CONVERTED
