"""What the tables and the summary say."""

import pytest

from common.numbers import DASH, TIMES
from common.schema.base import Interval
from common.schema.judgement import Difference, Obstacle, Setting, Speed
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Results
from common.schema.tflite import Refusal, RulesAlone, Uncounted
from jobs.report.document import Table
from jobs.report.page import build
from jobs.report.render import render
from jobs.report.sections import master
from jobs.report.sections.accuracy import accuracies
from jobs.report.sections.latency import measured, overview
from jobs.report.sections.proof import section
from jobs.report.sections.unjudged import doubt
from jobs.report.sections.unjudged import measured as said
from jobs.report.sections.variant import folds
from jobs.report.verdicts import speed
from tests.unit.report import factories as f
from tests.unit.report.pages import Page


def labels(table: Table) -> list[str]:
    return [column.label for column in table.columns]


def html(results: Results) -> str:
    return render(build(results, None))[0].content.decode()


def _cells(caption: str, results: Results, name: str) -> list[str]:
    table = next(t for t in overview(results) if t.caption == caption)
    return [cell.text for cell in next(row for row in table.rows if row.header == name).cells]


def _speed(verdict: Difference, **changes: object) -> Speed:
    ratio = Interval(value=1.1, low=1.0, high=1.2)
    setting = Setting(target="host", backend="cpu", threads=1)
    return Speed.model_validate(
        {"variant": "v", "setting": setting, "session": 0, "verdict": verdict, "ratio": ratio, **changes}
    )


@pytest.mark.parametrize(
    ("verdict", "note", "tone"),
    [
        ("faster", "▲ faster", "better"),
        ("slower", "▼ slower", "worse"),
        ("as fast", "≈ as fast", "plain"),
        ("not resolved", "? not resolved (needs about 41 rounds)", "plain"),
    ],
)
def test_a_ratio_has_the_judges_word_whatever_its_interval(verdict: Difference, note: str, tone: str) -> None:
    cell = speed(_speed(verdict, rounds_needed=41 if verdict == "not resolved" else None), None)
    assert (cell.note, cell.tone) == (note, tone)
    assert cell.text.startswith(f"1.10{TIMES} (")


def test_what_is_not_compared_has_a_reason_and_no_figure() -> None:
    obstacle = Obstacle(cause="too busy", text="the machine was too busy")
    cell = speed(_speed("not compared", obstacle=obstacle), Interval(value=9.0, low=8.0, high=10.0))
    assert (cell.text, cell.note, cell.tone) == ("not compared", "the machine was too busy", "problem")
    assert speed(_speed("faster", partial=True, from_cpu=True), None).note == (
        "▲ faster, only a part ran on it, from CPU time"
    )


def test_what_each_file_computes() -> None:
    integer, plain = f.variant_result("int8", 5), f.variant_result("baseline", 9)
    nothing = f.proof(macs=0, domains=(), float_islands=(), refusals=())
    older = f.variant_result("old", 7).model_copy(update={"proof": None})
    variants = (plain.model_copy(update={"proof": nothing}), integer, older)
    found = section(f.results(variants=variants, measurements=(), evaluations=()))
    assert found is not None and found.folded
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    assert [(row.header, [cell.text for cell in row.cells]) for row in table.rows] == [
        ("baseline", ["11 of 11", "9", "0", DASH, "0.25", "none", "none"]),
        ("int8", ["11 of 11", "5", "1.5", "80 %", "0.25", "1", "2 operators"]),
        ("old", ["11 of 11", "7", *[DASH] * 5]),
    ]


def test_what_cannot_be_counted_is_named_beside_what_can() -> None:
    unknown = Uncounted(operator="CUSTOM:<b>", reason="only its author knows what it computes", count=2)
    proof = f.proof(
        macs=2_000_000, uncounted=(unknown,), faults=("tensor 'k' has a scale that is not a finite number",)
    )
    partly = f.variant_result("partly", 5).model_copy(update={"proof": proof})
    results = f.results(variants=(partly,), measurements=(), evaluations=())
    found = section(results)
    assert found is not None
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    assert (table.rows[0].cells[2].text, table.rows[0].cells[2].note) == (
        "at least 2",
        "not counted: 2 CUSTOM:<b> (only its author knows what it computes)",
    )
    html, markdown, *_ = render(build(results, None))
    for page in (html.content, markdown.content):
        assert b"which are not known" in page
        assert b"has a scale that is not a finite number" in page
        assert b"CUSTOM:<b>" not in page


def test_results_of_the_first_version_have_no_such_table() -> None:
    bare = f.variant_result("baseline", 9).model_copy(update={"proof": None, "promises_total": None})
    assert section(f.results(variants=(bare,), measurements=(), evaluations=())) is None


def test_where_rules_and_runtime_disagree_a_file_is_not_sure() -> None:
    known = Refusal(operator="SOFTMAX", reason="int8 input", count=2, taken=False)
    unsure = (Refusal(operator="ADD", reason=None, count=1, taken=False), known.model_copy(update={"taken": True}))
    alone = RulesAlone(rules="ai-edge-litert 2.3.0", why="LiteRT <b>ends</b> by SIGSEGV")
    proofs = (f.proof(refusals=(known, *unsure)), f.proof(refusals=(known,), xnnpack=alone))
    variants = [
        f.variant_result(name, 9).model_copy(update={"proof": proof}) for name, proof in zip("ab", proofs, strict=True)
    ]
    results = f.results(variants=tuple(variants), measurements=(), evaluations=())
    found = section(results)
    assert found is not None
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    assert [(row.cells[-1].text, row.cells[-1].note) for row in table.rows] == [
        ("2 operators", "3 not sure"),
        ("2 operators", ""),
    ]
    html, *_ = render(build(results, None))
    text = Page(html.content.decode()).all_text
    assert "1 ADD (not sure: LiteRT leaves it, the rules find no reason)" in text
    assert "2 SOFTMAX (not sure: LiteRT takes it, the rules say: int8 input)" in text
    assert "as ai-edge-litert 2.3.0 answers on x86_64" in text
    assert (
        "by rules that were checked with ai-edge-litert 2.3.0; no answer of a runtime: LiteRT <b>ends</b> by SIGSEGV"
        in text
    )


def test_operator_names_are_not_markup() -> None:
    evil = Refusal(operator="CUSTOM:<script>|x", reason="XNNPACK has no such operator", count=1)
    hostile = f.variant_result("baseline", 9).model_copy(update={"proof": f.proof(refusals=(evil,))})
    html, markdown, *_ = render(build(f.results(variants=(hostile,), measurements=(), evaluations=()), None))
    assert b"CUSTOM:&lt;script&gt;|x" in html.content
    assert rb"CUSTOM:\<script\>\|x" in markdown.content


def test_one_round_has_no_spread_and_no_speed_up() -> None:
    results = f.results(measurements=f.measurements(rounds=1))
    (table,) = master.tables(results)
    assert "Speed-up" not in labels(table)
    (own,) = measured(results, f.NAMES[1])
    assert labels(own) == ["Latency", "Initialisation", "First inference", "Memory (MiB)", "Rounds"]
    assert "5 latencies from a single round" in Page(html(results)).all_text


def test_failures_show_their_reason_and_never_a_number() -> None:
    failed = [f.measurement(name, Failed(reason="killed by SIGSEGV", log="logs/7.log")) for name in f.NAMES[:4]]
    unsupported = f.measurement(f.NAMES[4], Unsupported(reason="no such operator"))
    results = f.results(measurements=(*failed, unsupported))
    (table,) = master.tables(results)
    place = labels(table).index("Latency (µs)")
    assert [row.cells[place].text for row in table.rows] == ["failed"] * 4 + ["unsupported"]
    (own,) = measured(results, f.NAMES[0])
    assert [(cell.text, cell.note) for cell in own.rows[0].cells] == [("failed", "killed by SIGSEGV (log: logs/7.log)")]
    assert _cells("Size, inference time and run-time memory on host", results, "baseline") == ["8.5", "failed"]


def test_a_target_that_only_shows_function_is_never_compared() -> None:
    emulator = f.host("emulator-5554", functional_only=True)
    results = f.results(measurements=f.measurements(target="emulator-5554"), targets=(emulator,))
    (table,) = master.tables(results)
    assert "Speed-up" not in labels(table)
    assert "functional only" in table.notes[0]
    assert not any("emulator" in text for _, text in said(results))


def test_threads_stand_in_the_headings_when_there_are_several() -> None:
    one, four = f.latency(100, None), f.latency(40, None)
    cells = [f.measurement("baseline", one), f.measurement("baseline", four, threads="4")]
    table = overview(f.results(measurements=cells))[0]
    assert [column.label for column in table.columns[1:3]] == ["CPU, 1 thread", "CPU, 4 threads"]
    assert [cell.text for cell in table.rows[1].cells[1:3]] == ["not measured"] * 2


def test_memory_that_was_not_measured_is_left_out_and_said() -> None:
    bare = [m.model_copy(update={"result": m.result.model_copy(update={"memory_mb": None})}) for m in f.measurements()]
    table = overview(f.results(measurements=bare))[0]
    assert [column.group for column in table.columns] == ["", "Inference time (µs)"]
    assert "Run-time memory was not measured on CPU." in table.notes


def test_the_comparison_of_accuracies_is_in_the_judges_words() -> None:
    table = accuracies(f.results(choice=f.choice()))
    assert [row.cells[-1].text for row in table.rows] == [
        "reference",
        "? not shown",
        "✓ shown to keep",
        "▼ shown to lose",
        "? not shown",
    ]
    note = table.rows[2].cells[-1].note
    assert note == "may lose up to 1.65 % (margin 2 %); only this one right: 0, only the other: 0"
    assert "images would do" in table.rows[4].cells[-1].note
    assert table.rows[1].cells[0].text == "96.33 %"


def test_nothing_is_said_of_accuracies_that_nobody_judged() -> None:
    table = accuracies(f.results())
    assert [row.cells[-1].text for row in table.rows] == ["reference", *[DASH] * 4]
    assert "Nobody judged these results" in " ".join(table.notes)


def test_waived_checks_are_named_in_the_variants_own_part() -> None:
    fold = list(folds(f.results()))[3]
    (facts,) = (block for block in fold.blocks if isinstance(block, Table) and block.caption == "Recipe and file")
    (cell,) = next(row for row in facts.rows if row.header == "Checks passed").cells
    assert cell.text == "11 of 13; waived: a BatchNormalization is in the kernel"


def test_nothing_is_claimed_that_was_not_judged() -> None:
    shown = " ".join((*(text for _, text in said(f.results())), doubt(f.results())))
    assert "Nobody judged these results, so that nothing is claimed of them." in shown
    for word in ("shown", "keep", "faster", "gain", "significant", "Recommended"):
        assert word not in shown


def test_long_lists_of_bad_files_are_cut() -> None:
    found = next(s for s in build(f.results(), None).sections if s.anchor == "dataset")
    table = next(b for b in found.blocks if b.kind == "table" and b.caption == "Files that were left out")
    assert len(table.rows) == 20
    assert table.notes == ("and 3 more; dataset.json lists all.",)


def test_memory_and_the_peak_of_the_process_have_columns() -> None:
    told = {"memory_processes": 3, "memory_peak_mb": 61.4}
    items = [m.model_copy(update={"result": m.result.model_copy(update=told)}) for m in f.measurements()]
    (own,) = measured(f.results(measurements=items), f.NAMES[0])
    assert own.rows[0].cells[labels(own).index("Peak RSS (MiB)")].text == "61.4"
    (bare,) = measured(f.results(measurements=f.measurements()), f.NAMES[0])
    assert "Peak RSS (MiB)" not in labels(bare)


def test_figures_of_a_column_have_one_unit_and_sort_by_what_they_are() -> None:
    table, *_ = master.tables(f.results(choice=f.choice()))
    place = labels(table).index("Latency (ms)")
    assert [row.cells[place].text for row in table.rows] == ["2.08", "1.67", "2.08", "2.29", "1.56"]
    assert [row.cells[place].key for row in table.rows] == [us * 0.31 for us in f.TIMES]
    won = [row.cells[labels(table).index("Won / lost")] for row in table.rows]
    assert [(cell.text, cell.key) for cell in won[2:4]] == [("0 / 0", 0.0), ("0 / 20", -20.0)]


def test_elsewhere_only_the_verdicts_hold_in_which_no_latency_is() -> None:
    _, table = master.tables(f.results(choice=f.choice()))
    assert table.caption.endswith("CPU · 1 thread")
    assert [row.cells[0].text for row in table.rows] == [
        "reference",
        DASH,
        DASH,
        "loses accuracy",
        DASH,
    ]


def test_tiny_files_are_told_in_kilobytes() -> None:
    variants = [f.variant_result("baseline", 492), f.variant_result("far", 9000)]
    (table,) = master.tables(f.results(variants=variants, measurements=(), evaluations=()))
    assert labels(table)[:2] == ["Size (kB)", "Download (kB)"]
    assert [row.cells[0].text for row in table.rows] == ["0.49", "9.00"]


def test_a_tiny_file_beside_a_large_one_is_told_in_megabytes_with_a_digit_more() -> None:
    variants = [f.variant_result("baseline", 8_500_692), f.variant_result("far", 16_920)]
    (table,) = master.tables(f.results(variants=variants, measurements=(), evaluations=()))
    assert labels(table)[0] == "Size (MB)"
    assert [row.cells[0].text for row in table.rows] == ["8.501", "0.017"]
