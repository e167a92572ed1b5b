"""Sustained load in the report: figures, reasons, and a ranking that turns."""

from common.proportion import wilson
from common.schema.benchmark import Cell, Sustained, SustainedPoint
from common.schema.examination import OutputCheck
from common.schema.outcome import Failed
from common.schema.power import Energy, NoEnergy
from common.schema.results import Endured, Results
from jobs.report.draw.curves import sustained as sustained_charts
from jobs.report.page import build
from jobs.report.render import render
from jobs.report.sustained import sentences, tables
from tests.unit.report.factories import NAMES, SHA, host, latency, measurement, results

SPENT = Energy(
    mj=24.0,
    net_mj=21.6,
    no_net=None,
    charge_uah=160_000,
    voltage_mv=4000.0,
    inferences=100_000,
    seconds=600.0,
    resolution=0.01,
)


def load(name: str, first: float | None, last: float | None, **more: object) -> Endured:
    ends = ((first, 5.0), (last, 595.0))
    result = Sustained(
        cell=Cell(variant=name, model_sha256=SHA, backend="cpu", threads=1),
        session=0,
        duration_s=600.0,
        window_s=60.0,
        points=tuple(SustainedPoint(at_s=at, latency_us=us) for us, at in ends if us is not None),
        first_us=first,
        last_us=last,
        throttled_s=None,
        energy=NoEnergy(reason="it was plugged in (USB)"),
    )
    return Endured(target="host", floor=0.02, result=result.model_copy(update=more))


def page(*loads: Endured, **more: object) -> Results:
    return results(sustained=loads, **more)


def test_a_ranking_that_turns_is_said() -> None:
    found = sentences(page(load(NAMES[0], 100.0, 150.0), load(NAMES[1], 110.0, 112.0)))
    assert found[-1].startswith("host · CPU · 1 thread: the ranking turns under load: ")
    assert "overtakes baseline" in found[-1].lower()


def test_a_difference_within_the_noise_turns_nothing() -> None:
    for first, last in ((101.0, 140.0), (110.0, 149.0), (110.0, 160.0)):
        found = sentences(page(load(NAMES[0], 100.0, 150.0), load(NAMES[1], first, last)))
        assert found[-1].endswith("no variant clearly overtakes another under load.")


def test_wrong_answers_and_emulators_are_never_ranked() -> None:
    loads = (load(NAMES[0], 100.0, 150.0), load(NAMES[1], 110.0, 112.0))
    wrong = OutputCheck(images=32, top1_agreement=wilson(3, 32), largest_difference=1.0, wrong="all the same")
    fast = latency(110.0, None).model_copy(update={"answers": wrong})
    items = [measurement(NAMES[0], latency(100.0, None)), measurement(NAMES[1], fast)]
    spoiled = page(*loads, measurements=tuple(items))
    assert not any("overtakes" in text for text in sentences(spoiled))
    assert next(tables(spoiled)).rows[1].cells[0].note == "its answers are wrong"
    emulator = page(*loads, targets=(host(functional_only=True),))
    assert not any("overtakes" in text for text in sentences(emulator))


def test_figures_reasons_and_failures() -> None:
    failed = Failed(reason="boom", log=None).reason
    shown = page(
        load(NAMES[0], 100.0, 150.0, throttled_s=130.0, energy=SPENT),
        load(NAMES[1], 110.0, 112.0, energy=SPENT.model_copy(update={"net_mj": None, "no_net": "too coarse"})),
        load(NAMES[2], None, None, problem=f"3 of 4 processes failed: {failed}"),
    )
    (table,) = tables(shown)
    assert table.folded
    texts = [[(cell.text, cell.note) for cell in row.cells] for row in table.rows]
    assert texts[0] == [("100", ""), ("150", ""), ("130 s", ""), ("24", "21.6 without idle")]
    assert texts[1][2:] == [("not", "in 10 min"), ("24", "without idle: too coarse")]
    assert texts[2][0][1] == "3 of 4 processes failed: boom"
    assert texts[2][3][1] == "it was plugged in (USB)"


def test_the_section_is_on_the_page_with_its_picture() -> None:
    shown = page(load(NAMES[0], 100.0, 150.0), load(NAMES[1], 110.0, 112.0))
    files = {file.name: file.content for file in render(build(shown, None))}
    assert b"Sustained load" in files["report.html"]
    assert "sustained.svg" in files
    assert b"sustained" not in {f.name: f.content for f in render(build(results(), None))}["report.md"].lower()


def test_nothing_to_draw_without_a_begin() -> None:
    assert sustained_charts(page(load(NAMES[0], None, None))) == ()


def test_a_variant_that_the_results_do_not_describe_has_its_own_name() -> None:
    strange = page(load("strange", 100.0, 150.0), load(NAMES[0], 110.0, 112.0))
    (drawn,) = sustained_charts(strange)
    assert ">strange</text>" in drawn.svg
    assert next(tables(strange)).rows[0].header == "strange"
