"""What is said of two runs: nothing beyond what was shown, and what differs with both values."""

from dataclasses import replace

import pytest

from common.errors import NotComparableError
from common.run import directions
from common.run.gate import gate
from common.run.keeping import PairedTest, Pairs, sign_test
from common.run.latencies import widened
from common.run.spread import ASSUMED_BESIDE
from common.schema.base import Interval
from common.schema.budget import Budget
from common.schema.comparison import LatencyWord
from common.schema.examination import OutputCheck
from common.schema.outcome import Delegation, Failed
from common.schema.results import Latency, Results
from jobs.compare import page
from tests.unit.common.run.test_spread import session
from tests.unit.compare.runs import another, cell, compared, results, side, slower
from tests.unit.report import factories as f
from tests.unit.report.rich import rich

LAST = f.NAMES[-1]
BASE = results()


def told(given: Results, name: str, **changes: object) -> Results:
    """The same with other words of the device about a variant on XNNPACK."""
    measured = tuple(
        item.model_copy(update={"result": item.result.model_copy(update=changes)})
        if (item.variant, item.backend) == (name, "xnnpack") and isinstance(item.result, Latency)
        else item
        for item in given.measurements
    )
    return given.model_copy(update={"measurements": measured})


def test_the_same_files_are_never_said_to_differ() -> None:
    found = compared(BASE, slower(BASE, 3.0, *f.NAMES))
    assert {change.latency.verdict for change in found.cells} == {"same file"}
    assert {change.quality.verdict for change in found.variants} == {"same file"}
    assert found.cells[0].latency.ratio is not None and found.cells[0].latency.ratio.value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("factor", "word"),
    [(2.0, "slower"), (1.5, "slower"), (1.1, "not resolved"), (1.0, "not resolved"), (0.5, "faster")],
)
def test_two_sessions_carry_the_spread_between_them(factor: float, word: LatencyWord) -> None:
    found = compared(BASE, another(slower(BASE, factor, LAST), LAST))
    latency = cell(found, LAST).latency
    assert latency.verdict == word and latency.beside_reference and latency.ratio is not None
    assert latency.ratio.value == pytest.approx(1 / factor)
    # No end lies within the spread.
    assert latency.ratio.low <= latency.ratio.value / (1 + ASSUMED_BESIDE)
    assert latency.ratio.high >= latency.ratio.value * (1 + ASSUMED_BESIDE)
    assert latency.judged is not None and latency.judged.low <= latency.ratio.low


def test_a_quiet_device_shows_less_to_be_a_difference() -> None:
    sessions = [session(number, 500.0 + number) for number in range(6)]
    head = another(slower(BASE, 1.1, LAST), LAST)
    found = compared(side(BASE, sessions), side(head, sessions))
    assert not found.spreads[0].assumed and found.spreads[0].share < 0.02
    assert cell(found, LAST).latency.verdict == "slower"


def test_more_cells_need_more_to_show_any() -> None:
    ratio = f.latency(100, 200).ratio
    assert ratio is not None
    assert widened(ratio, 1).low == pytest.approx(ratio.low)
    assert widened(ratio, 100).low < widened(ratio, 10).low < ratio.low


def test_another_reference_leaves_the_latencies_alone() -> None:
    head = another(BASE, "baseline", LAST)
    found = cell(compared(BASE, head), LAST).latency
    assert not found.beside_reference and found.ratio is not None and found.ratio.low < 1 / 1.2


def test_the_set_up_is_told_with_both_values_and_a_processor_refuses() -> None:
    head = another(BASE.model_copy(update={"targets": (f.host(fact="Intel Xeon"),)}), LAST)
    found = compared(BASE, head)
    [change] = found.setup
    assert (change.target, change.what, change.base, change.head) == ("host", "CPU", "AMD EPYC", "Intel Xeon")
    latency = cell(found, LAST).latency
    assert change.refuses and latency.verdict == "not compared"
    assert latency.reason == "CPU is AMD EPYC in the base and Intel Xeon in the head"
    assert cell(found, LAST).memory.verdict == "not compared"


def test_heat_tools_and_settings_are_told() -> None:
    def phone(build: str, celsius: float, tool: str) -> Results:
        facts = (("Build", build), ("Battery before", f"80 %, {celsius} °C, charging"))
        target = f.host().model_copy(update={"facts": facts, "passing": ("Battery before",), "tools": (("npu", tool),)})
        return BASE.model_copy(update={"targets": (target,)})

    base = side(phone("A1", 29.9, f.SHA), host={"min_secs": "0.3", "rounds": "6"})
    head = side(phone("A2", 35.0, f.OTHER_SHA), host={"min_secs": "1.0", "rounds": "9"})
    found = {change.what: (change.base, change.head, change.refuses) for change in compared(base, head).setup}
    assert found == {
        "[benchmark] min_secs": ("0.3", "1.0", True),
        "Build": ("A1", "A2", False),
        "the sha256 of the NPU libraries": (f.SHA[:12], f.OTHER_SHA[:12], False),
        "the temperature band": ("25 to 30 °C", "35 to 40 °C", False),
        "[benchmark] rounds": ("6", "9", False),
    }


def test_the_temperature_while_it_measured_counts_before_that_of_the_begin() -> None:
    warm, hot = (replace(side(BASE), celsius={"host": degrees}) for degrees in (31.0, 41.9))
    [change] = compared(warm, hot).setup
    assert (change.what, change.base, change.head) == ("the temperature band", "30 to 35 °C", "40 to 45 °C")
    assert not change.refuses and compared(warm, warm).setup == ()


def test_the_same_file_with_another_tool_may_be_slower() -> None:
    head = slower(BASE, 2.0, LAST).model_copy(
        update={"targets": (f.host().model_copy(update={"facts": (*f.host().facts, ("Runtime", "new"))}),)}
    )
    assert cell(compared(BASE, head), LAST).latency.verdict == "slower"


def test_times_without_a_zone_are_told_as_none() -> None:
    plain = tuple(m.model_copy(update={"finished_at": f.WHEN.replace(tzinfo=None)}) for m in BASE.provenance[:1])
    given = BASE.model_copy(update={"provenance": (*plain, *BASE.provenance[1:])})
    assert compared(given, given).head.finished_at == f.WHEN


def test_runs_without_anything_in_common_are_refused_with_both_values() -> None:
    others = tuple(f.variant_result(f"x_{name}", 10) for name in f.NAMES)
    with pytest.raises(
        NotComparableError, match=r"the base has the variants baseline, .* the head x_baseline"
    ) as raised:
        compared(BASE, BASE.model_copy(update={"variants": others}))
    assert raised.value.exit_code == 3
    elsewhere = tuple(m.model_copy(update={"target": "phone"}) for m in BASE.measurements)
    with pytest.raises(NotComparableError, match="the base was measured on host, the head on phone"):
        compared(BASE, BASE.model_copy(update={"measurements": elsewhere}))


def test_a_latency_that_is_lost_is_worse() -> None:
    measured = tuple(
        m.model_copy(update={"result": Failed(reason="killed", log=None)}) if m.variant == LAST else m
        for m in BASE.measurements
    )
    head = another(BASE.model_copy(update={"measurements": measured}), LAST)
    found = cell(compared(BASE, head), LAST)
    assert found.latency.verdict == "lost" and found.latency.reason == "head: failed: killed"
    assert directions.of_cell(found) == "worse"
    assert cell(compared(head, BASE), LAST).latency.verdict == "won"


def test_what_devices_tell_has_a_direction() -> None:
    full = Delegation(extent="complete", kernel="x", nodes_delegated=9, nodes_total=9, partitions=1)
    partial = full.model_copy(update={"extent": "partial", "nodes_delegated": 4})
    right = OutputCheck(images=8, top1_agreement=None, largest_difference=0.1, wrong=None)
    wrong = right.model_copy(update={"wrong": "all the same"})
    base, head = told(BASE, LAST, delegation=full, answers=right), told(BASE, LAST, delegation=partial, answers=wrong)
    found = cell(compared(base, head), LAST)
    assert (found.delegation.direction, found.delegation.head) == ("worse", "partial, 4 nodes")
    assert (found.answers.direction, found.answers.head) == ("worse", "wrong: all the same")
    assert cell(compared(head, base), LAST).delegation.direction == "better"


def test_memory_that_differs_by_a_page_is_alike() -> None:
    assert cell(compared(BASE, told(BASE, LAST, memory_mb=11.8)), LAST).memory.verdict == "alike"
    assert cell(compared(BASE, told(BASE, LAST, memory_mb=12.5)), LAST).memory.verdict == "more"
    assert cell(compared(BASE, told(BASE, LAST, memory_mb=None)), LAST).memory.verdict == "not compared"


@pytest.mark.parametrize(
    ("lost", "won", "word"), [(0, 0, "shown to keep"), (40, 2, "shown to lose"), (6, 3, "not shown")]
)
def test_accuracy_is_judged_image_by_image(lost: int, won: int, word: str) -> None:
    test = PairedTest(Pairs(lost, won, 300), sign_test(min(lost, won), lost + won))
    found = compared(BASE, another(BASE, LAST), {LAST: test}).variant(LAST).quality
    assert found.verdict == word and (found.only_base_right, found.only_head_right) == (lost, won)


def test_without_the_answers_nothing_is_shown_and_other_images_are_refused() -> None:
    found = compared(BASE, another(BASE, LAST)).variant(LAST).quality
    assert found.verdict == "not shown" and "folders of the runs" in found.reason
    card = f.dataset()
    split = card.validation.model_copy(update={"images": f.file("validation_images.npy", f.OTHER_SHA)})
    head = another(BASE, LAST).model_copy(update={"dataset": card.model_copy(update={"validation": split})})
    quality = compared(BASE, head).variant(LAST).quality
    assert quality.verdict == "not compared" and f.SHA[:12] in quality.reason and f.OTHER_SHA[:12] in quality.reason


def test_changed_rows_come_first() -> None:
    head = another(slower(slower(BASE, 0.3, "float16"), 3.0, LAST), LAST, "float16", "dynamic_range")
    order = [directions.of_cell(change) for change in directions.cells(compared(BASE, head))]
    assert order == ["worse"] * 2 + ["better"] * 2 + ["unsure"] * 2 + ["same"] * 4


def test_a_busy_session_is_no_ground_for_a_claim() -> None:
    from common.schema.judgement import Obstacle

    choice = BASE.choice
    assert choice is not None and choice.judgement is not None
    busy = Obstacle(cause="too busy", text="the machine was too busy")
    speeds = tuple(
        speed.model_copy(update={"obstacle": busy, "verdict": "not compared", "ratio": None})
        for speed in choice.judgement.speeds
    )
    judged = choice.model_copy(update={"judgement": choice.judgement.model_copy(update={"speeds": speeds})})
    head = another(BASE.model_copy(update={"choice": judged}), LAST)
    found = cell(compared(BASE, head), LAST).latency
    assert found.verdict == "not compared" and found.reason == "head: the machine was too busy"


@pytest.mark.parametrize("us", [0.0, -1.0, 5e-324, 1.7e308])
def test_figures_that_no_machine_measures_end_nothing(us: float) -> None:
    def put(given: Results) -> Results:
        strange = f.latency(100.0, None).model_copy(
            update={"latency_us": us, "interval": Interval(value=us, low=us, high=us), "memory_mb": us}
        )
        measured = tuple(m.model_copy(update={"result": strange}) for m in given.measurements)
        processes = tuple(p.model_copy(update={"latency_us": us}) for p in rich().traces[0].processes)
        trace = rich().traces[0].model_copy(update={"processes": processes})
        return given.model_copy(update={"measurements": measured, "traces": (trace, trace), "choice": None})

    base, head = put(BASE), another(BASE, "baseline", LAST)
    sessions = [session(number, us, us) for number in range(6)]
    for pair in ((base, head), (head, base), (base, base)):
        found = compared(side(pair[0], sessions), side(pair[1], sessions))
        assert all(change.latency.verdict in ("not compared", "lost", "won", "same file") for change in found.cells)
        page.markdown(found)
        list(gate(found, pair[0], pair[1], [Budget(regression=0.1, latency_ms=1.0, memory_mib=1.0)]))
