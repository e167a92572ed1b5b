"""What the tables and the summary say."""

import pytest

from common.numbers import DASH, TIMES
from common.schema.base import Interval
from common.schema.experiment import Choose
from common.schema.judgement import Difference, Obstacle, Setting, Speed
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Measurement, Results
from common.schema.tflite import Refusal
from jobs.report.accuracy import accuracies, files
from jobs.report.draw.forest import forest
from jobs.report.draw.tradeoff import tradeoff
from jobs.report.latency import details, overview
from jobs.report.names import Grid
from jobs.report.page import build
from jobs.report.proof import proofs
from jobs.report.render import render
from jobs.report.summary import summarise
from jobs.report.verdicts import speed
from tests.unit.report import factories as f


def _cells(table_rows: object, results: Results, name: str) -> list[str]:
    table = next(t for t in (*overview(results), *details(results)) if t.caption == table_rows)
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
    variants = (plain.model_copy(update={"proof": nothing}), integer, f.variant_result("old", 7))
    older = variants[2].model_copy(update={"proof": None})
    (table,) = proofs(f.results(variants=(*variants[:2], older), measurements=(), evaluations=()))
    assert [(row.header, [cell.text for cell in row.cells]) for row in table.rows] == [
        ("baseline", ["0", DASH, "0.25", "none", "none"]),
        ("int8", ["1.5", "80 %", "0.25", "1", "2 operators"]),
    ]
    assert [cell.note for cell in table.rows[1].cells[3:]] == ["EXP LOG", "2 SOFTMAX: int8 input"]


def test_results_of_the_first_version_have_no_such_table() -> None:
    assert proofs(f.results(variants=(f.variant_result("baseline", 9).model_copy(update={"proof": None}),))) == ()


def test_operator_names_are_not_markup() -> None:
    evil = Refusal(operator="CUSTOM:<script>|x", reason="XNNPACK has no such operator", count=1)
    hostile = f.variant_result("baseline", 9).model_copy(update={"proof": f.proof(refusals=(evil,))})
    html, markdown, *_ = render(build(f.results(variants=(hostile,), measurements=(), evaluations=()), None))
    assert b"CUSTOM:&lt;script&gt;|x" in html.content
    assert rb"CUSTOM:\<script\>\|x" in markdown.content


def test_one_round_has_no_spread_and_no_ratio() -> None:
    results = f.results(measurements=f.measurements(rounds=1))
    table = details(results)[0]
    assert [column.label for column in table.columns] == [
        "Latency (µs)",
        "Initialisation (µs)",
        "First inference (µs)",
        "Memory (MB)",
        "Rounds",
    ]
    assert "spread over rounds, 95 % interval and ratio to baseline" in table.notes[0]
    assert any("5 latencies from a single round" in sentence for sentence in build(results, None).missing)


def test_failures_show_their_reason_and_never_a_number() -> None:
    failed = [f.measurement(name, Failed(reason="killed by SIGSEGV", log="logs/7.log")) for name in f.NAMES[:4]]
    unsupported = f.measurement(f.NAMES[4], Unsupported(reason="no such operator"))
    results = f.results(measurements=(*failed, unsupported))
    (table,) = details(results)
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["failed"]] * 4 + [["unsupported"]]
    assert table.rows[0].cells[0].note == "killed by SIGSEGV (log: logs/7.log)"
    assert _cells("Size, inference time and run-time memory on host", results, "baseline") == ["8.5", "failed"]
    setting = Grid(results).settings[0]
    assert tradeoff(results, setting, "latency") is None and forest(results, setting) is None


def test_a_target_that_only_shows_function_is_never_compared() -> None:
    emulator = f.host("emulator-5554", functional_only=True)
    results = f.results(measurements=f.measurements(target="emulator-5554"), targets=(emulator,))
    (table,) = details(results)
    assert not any("Ratio" in column.label for column in table.columns)
    assert "functional only" in table.notes[0]
    setting = Grid(results).settings[0]
    assert tradeoff(results, setting, "latency") is None and forest(results, setting) is None
    assert not any("emulator" in sentence for sentence in summarise(results))


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


def test_waived_promises_are_named() -> None:
    cell = files(f.results()).rows[3].cells[-1]
    assert (cell.text, cell.note) == ("11 of 13", "2 waived: a BatchNormalization is in the kernel")


def test_the_summary_says_what_was_decided() -> None:
    chosen = f.choice().model_copy(update={"judgement": f.judgement(rules=Choose(margin=0.05))})
    sentences = summarise(f.results(choice=chosen))
    assert "a classifier that sees only colours gets 77 %" in sentences[1]
    assert sentences[2] == (
        "Shown to keep the accuracy of baseline within 5 %: dynamic range, float16 and pruned dynamic range."
    )
    assert sentences[3] == "Shown to lose accuracy: clustered dynamic range."
    assert f"on host · CPU · 1 thread: pruned dynamic range, 1.34{TIMES} (1.32{DASH}1.36) as fast" in sentences[5]


def test_nothing_is_claimed_that_was_not_judged() -> None:
    said = " ".join(summarise(f.results()))
    assert "Nobody judged these results, so that nothing is claimed of them." in said
    for word in ("shown", "keep", "faster", "gain", "significant", "Recommended"):
        assert word not in said


def test_long_lists_of_bad_files_are_cut() -> None:
    section = next(s for s in build(f.results(), None).sections if s.anchor == "dataset")
    table = next(b for b in section.blocks if b.kind == "table" and b.caption == "Files that were left out")
    assert len(table.rows) == 20
    assert table.notes == ("and 3 more; dataset.json lists all.",)


def _remembered(processes: int | None, peak_mb: float | None) -> list[Measurement]:
    told = {"memory_processes": processes, "memory_peak_mb": peak_mb}
    return [m.model_copy(update={"result": m.result.model_copy(update=told)}) for m in f.measurements()]


def test_memory_says_which_processes_it_is_of_and_what_is_not_the_models() -> None:
    own = details(f.results(measurements=_remembered(3, 61.4)))[0]
    assert "Whole process (MB)" in [column.label for column in own.columns]
    assert "Of each whole process, 50 MB were there before the model was loaded." in own.notes
    assert not any("timed processes" in note for note in own.notes)
    timed = details(f.results(measurements=_remembered(0, None)))[0]
    assert "Memory was read from the timed processes, not from processes of its own." in timed.notes
    assert "Whole process (MB)" not in [column.label for column in timed.columns]
    mixed = [_remembered(0, None)[0], *_remembered(3, 61.4)[1:]]
    first = mixed[0].variant
    notes = details(f.results(measurements=mixed))[0].notes
    assert f"Memory of {first} was read from the timed processes, not from processes of its own." in notes
    # A published table does not say.
    assert not any("emory" in note for note in details(f.results())[0].notes)
