"""Budgets: kept, broken, or it cannot be said; never kept by mistake."""

import pytest

from common.run.gate import default, gate, overall
from common.run.keeping import PairedTest, Pairs, sign_test
from common.schema.budget import Budget, Checked, Status
from common.schema.examination import OutputCheck
from common.schema.outcome import Delegation, Failed
from common.schema.results import Latency, Results
from tests.unit.common.run.test_between import LAST, told
from tests.unit.common.run.test_spread import session
from tests.unit.compare.runs import another, compared, results, side, slower, with_choice
from tests.unit.report import factories as f

BASE = results()
HEAD = another(BASE, LAST)
FULL = Delegation(extent="complete", kernel=None, nodes_delegated=9, nodes_total=9, partitions=1)
RIGHT = OutputCheck(images=8, top1_agreement=None, largest_difference=0.1, wrong=None)


def checked(
    head: Results, budget: Budget, base: Results | None = BASE, tests: dict[str, PairedTest] | None = None
) -> list[Checked]:
    return list(gate(compared(base or head, head, tests), base, head, [budget]))


def only(head: Results, limits: dict[str, object], base: Results | None = BASE) -> Checked:
    """The one verdict on LAST on XNNPACK."""
    where = {"variants": (LAST,), "backends": ("xnnpack",)}
    [found] = checked(head, Budget.model_validate({**where, **limits}), base)
    return found


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"latency_ms": 1.7}, "kept"),
        ({"latency_ms": 1.56}, "cannot say"),
        ({"latency_ms": 1.0}, "broken"),
        ({"size_mb": 2.2}, "kept"),
        ({"size_mb": 2.1}, "broken"),
        ({"memory_mib": 12.0}, "kept"),
        ({"memory_mib": 11.0}, "broken"),
        ({"full_delegation": True}, "cannot say"),
        ({"output_check": True}, "kept"),
    ],
)
def test_a_limit_of_the_head_alone(limits: dict[str, object], status: Status) -> None:
    assert only(HEAD, limits).status == status
    # They need no base.
    assert only(HEAD, limits, None).status == status


@pytest.mark.parametrize(
    ("factor", "limits", "status"),
    [
        (2.0, {"regression": 0.0}, "broken"),
        (2.0, {"regression": 1.5}, "kept"),
        (1.05, {"regression": 0.0}, "kept"),
        (1.05, {"regression": 0.0, "noise": 0.1}, "cannot say"),
        (0.5, {"regression": 0.0, "noise": 0.1}, "kept"),
    ],
)
def test_a_regression_is_one_beyond_the_noise(factor: float, limits: dict[str, object], status: Status) -> None:
    found = only(slower(HEAD, factor, LAST), limits)
    assert found.status == status
    assert ("RERUN=1" in found.text) == (status == "cannot say")


def test_a_smaller_regression_is_found_on_a_quiet_device() -> None:
    sessions = [session(number, 500.0 + number) for number in range(6)]
    head = slower(HEAD, 1.1, LAST)
    found = list(gate(compared(side(BASE, sessions), side(head, sessions)), BASE, head, [Budget(regression=0.0)]))
    assert {each.variant for each in found if each.status == "broken"} == {LAST}


def test_without_a_base_what_needs_one_cannot_be_said() -> None:
    found = checked(HEAD, Budget(regression=0.0, accuracy_loss=0.1, size_mb=9.0), None)
    assert {(each.limit, each.status) for each in found} == {
        ("size", "kept"),
        ("accuracy loss", "cannot say"),
        ("regression", "cannot say"),
    }
    assert overall(found) == "cannot say" and any("give BASE" in each.text for each in found)


def test_a_file_that_does_not_run_any_more_is_a_regression() -> None:
    measured = tuple(
        m.model_copy(update={"result": Failed(reason="killed", log=None)}) if m.variant == LAST else m
        for m in HEAD.measurements
    )
    head = HEAD.model_copy(update={"measurements": measured})
    assert only(head, {"regression": 0.5}).status == "broken"
    assert only(head, {"latency_ms": 100.0}).text == "it has no latency: failed: killed"


def test_a_cell_that_is_not_measured_any_more_cannot_be_said() -> None:
    measured = tuple(m for m in HEAD.measurements if m.backend != "xnnpack")
    found = only(HEAD.model_copy(update={"measurements": measured}), {"regression": 0.0})
    assert found.status == "cannot say" and found.text == "measured in the base, and not in the head"


def test_a_variant_that_is_gone_or_renamed_does_not_open_the_gate() -> None:
    measured = tuple(m for m in HEAD.measurements if m.variant != LAST)
    variants = tuple(one for one in HEAD.variants if one.name != LAST)
    head = HEAD.model_copy(update={"measurements": measured, "variants": variants})
    found = [each for each in checked(head, Budget(regression=0.5, accuracy_loss=0.5)) if each.variant == LAST]
    assert {each.limit for each in found} == {"regression", "accuracy loss"}
    assert {(each.status, each.text) for each in found} == {
        ("cannot say", "the base has this variant, and the head has not")
    }
    assert not [each for each in checked(head, Budget(size_mb=9.0)) if each.variant == LAST]


@pytest.mark.parametrize(
    ("lost", "won", "margin", "status"),
    [(0, 0, 0.02, "kept"), (40, 2, 0.02, "broken"), (40, 2, 0.2, "kept"), (6, 3, 0.005, "cannot say")],
)
def test_accuracy_loss_is_held_against_the_images(lost: int, won: int, margin: float, status: Status) -> None:
    test = PairedTest(Pairs(lost, won, 300), sign_test(min(lost, won), lost + won))
    budget = Budget(variants=(LAST,), accuracy_loss=margin)
    [found] = checked(HEAD, budget, tests={LAST: test})
    assert found.status == status and "may lose up to" in found.text
    [unpaired] = checked(HEAD, budget)
    assert unpaired.status == "cannot say"
    [same] = checked(BASE, budget)
    assert same.status == "kept" and same.text.startswith("the same file")


def test_delegation_and_answers_of_a_device() -> None:
    phone = (f.host(functional_only=False).model_copy(update={"kind": "android"}),)
    full = told(HEAD, LAST, delegation=FULL, answers=RIGHT).model_copy(update={"targets": phone})
    assert only(full, {"full_delegation": True}).status == "kept"
    assert only(full, {"output_check": True}).status == "kept"
    partial = FULL.model_copy(update={"extent": "partial", "nodes_delegated": 4})
    wrong = told(HEAD, LAST, delegation=partial, answers=RIGHT.model_copy(update={"wrong": "all the same"}))
    wrong = wrong.model_copy(update={"targets": phone})
    assert only(wrong, {"full_delegation": True}).text == "partial, 4 of 9 nodes"
    assert only(wrong, {"output_check": True}).text == "wrong answers: all the same"
    unchecked = only(HEAD.model_copy(update={"targets": phone}), {"output_check": True})
    assert (unchecked.status, unchecked.text) == ("broken", "its answers were not checked")


def test_a_budget_that_names_nothing_is_not_kept() -> None:
    [found] = checked(HEAD, Budget(variants=("int4*",), size_mb=100.0))
    assert found.limit == "applies" and overall([found]) == "cannot say"
    [found] = checked(HEAD, Budget(targets=("pixel*",), latency_ms=100.0))
    assert found.status == "cannot say"


def test_patterns_and_the_recommended_variant() -> None:
    named = checked(HEAD, Budget(variants=("*dynamic_range",), size_mb=3.0))
    assert [each.variant for each in named] == [name for name in f.NAMES if name.endswith("dynamic_range")]
    best = checked(HEAD, Budget(variants="recommended", backends=("cpu",), latency_ms=9.0))
    assert [each.variant for each in best] == [LAST]
    [none] = checked(with_choice(HEAD, best=None), Budget(variants="recommended", size_mb=3.0))
    assert none.status == "broken" and "recommends no variant" in none.text


def test_the_default_asks_for_no_loss_and_no_regression() -> None:
    [budget] = default(compared(BASE, HEAD))
    assert (budget.regression, budget.accuracy_loss) == (0.0, BASE.choice and BASE.choice.rules.margin)
    nobody = [given.model_copy(update={"evaluations": ()}) for given in (BASE, HEAD)]
    [budget] = default(compared(nobody[0], nobody[1]))
    assert budget.accuracy_loss is None
    assert overall(checked(BASE, budget)) == "kept"


def test_every_limit_is_of_a_measured_cell() -> None:
    budget = Budget(latency_ms=99.0, size_mb=99.0, memory_mib=99.0, regression=0.5, output_check=True)
    found = checked(HEAD, budget)
    assert len(found) == 5 + 4 * len([m for m in HEAD.measurements if isinstance(m.result, Latency)])
    assert overall(found) == "kept"
