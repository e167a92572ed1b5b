"""What the ledger holds and what is measured again."""

from pathlib import Path

import pytest

from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Outcome, Unsupported
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.rows import rows
from jobs.benchmark.wanted import resumable, unmeasured
from tests.unit.benchmark.scripted import Scripted, measure, measured, wanted


def steady(_cell: Cell, _seen: int) -> Outcome:
    return measured(100.0)


def test_nothing_is_measured_twice_and_a_changed_variant_brings_its_reference(tmp_path: Path) -> None:
    plan = wanted("abc")
    ledger = measure(Scripted(steady), plan, tmp_path)
    assert unmeasured(ledger.index, plan) == ()
    changed = wanted("abc", shas={"c": "c" * 64})
    assert resumable(ledger.index, changed) is None
    cells = unmeasured(ledger.index, changed)
    assert {(cell.variant, cell.model_sha256[0]) for cell in cells} == {("a", "0"), ("c", "c")}


def test_other_settings_or_another_machine_share_nothing(tmp_path: Path) -> None:
    ledger = measure(Scripted(steady), wanted(), tmp_path)
    other = wanted(settings=Settings(rounds=3, most_rounds=3, num_runs=51))
    assert len(unmeasured(ledger.index, other)) == 4
    assert len(unmeasured(ledger.index, wanted(fingerprint="e" * 64))) == 4


def test_more_rounds_go_on_with_the_session(tmp_path: Path) -> None:
    ledger = measure(Scripted(steady), wanted(), tmp_path)
    before = len(ledger.lines)
    more = wanted(settings=Settings(rounds=4, most_rounds=4))
    target = Scripted(steady)
    measure(target, more, tmp_path, ledger)
    assert len(ledger.index.sessions) == 1
    assert ledger.index.sessions[0].rounds == 4
    assert target.seen == len(ledger.lines) - before
    assert target.seen < before / 2


def test_a_failed_cell_is_tried_again_next_time(tmp_path: Path) -> None:
    plan = wanted("ab")
    bad = Scripted(lambda cell, seen: Failed(reason="crash", log=None) if seen == 3 else steady(cell, seen))
    ledger = measure(bad, plan, tmp_path)
    assert len(ledger.index.sessions) == 1
    assert unmeasured(ledger.index, plan)
    measure(Scripted(steady), plan, tmp_path, ledger)
    assert len(ledger.index.sessions) == 2
    assert unmeasured(ledger.index, plan) == ()


def test_ratios_are_of_one_session_only(tmp_path: Path) -> None:
    ledger = measure(Scripted(lambda _c, _s: measured(1000.0)), wanted("ab"), tmp_path)
    changed = wanted("ab", shas={"b": "b" * 64})
    target = Scripted(lambda cell, _s: measured(200.0 if cell.variant == "a" else 100.0))
    measure(target, changed, tmp_path, ledger)
    for row in rows(ledger.index, changed):
        assert row.session == 1
        assert row.result.kind == "summary"
        if row.cell.variant == "b":
            assert row.result.ratio is not None
            assert row.result.ratio.value == pytest.approx(2.0)
            assert row.result.paired_rounds == 3
        else:
            assert row.result.ratio is None


def test_a_cell_whose_reference_failed_has_no_ratio_in_that_round(tmp_path: Path) -> None:
    plan = wanted("ab", Settings(backends=("cpu",), rounds=3, most_rounds=3))
    target = Scripted(lambda cell, seen: Failed(reason="crash", log="logs/x") if seen == 0 else steady(cell, seen))
    made = {row.cell.variant: row for row in rows(measure(target, plan, tmp_path).index, plan)}
    other = made["b"].result
    assert other.kind == "summary"
    assert [ratio.round for ratio in other.ratios] == [1, 2]
    assert made["a"].failed_rounds == 1


def test_a_cell_that_never_ran_is_no_number_and_its_reference_is_asked_for_once_a_round(tmp_path: Path) -> None:
    plan = wanted("abcdef")
    gone = Unsupported(reason="no such delegate")
    target = Scripted(lambda cell, seen: gone if cell.backend == "cpu" else steady(cell, seen))
    ledger = measure(target, plan, tmp_path)
    found = rows(ledger.index, plan)
    assert {row.cell.backend for row in found if row.result == gone} == {"cpu"}
    absent = next(cell for cell in plan.cells if (cell.variant, cell.backend) == ("a", "cpu"))
    # At the beginning, after the first segment, which was planned by then, and at the end of each of 3 rounds.
    assert len(ledger.index.sessions[0].kept[absent]) == 2 + 3


def test_an_examination_counts_with_the_settings_it_was_made_with(tmp_path: Path) -> None:
    ledger = Ledger()
    for images in (32, 4, 32):
        settings = Settings(rounds=3, most_rounds=3, outputs_images=images)
        plan = wanted("ab", settings)
        measure(Scripted(steady), plan, tmp_path, ledger, settings)
        for row in rows(ledger.index, plan):
            assert row.examination is not None
            assert row.examination.problems == (f"{images} images",)
    none = wanted("ab")
    assert all(row.examination is None for row in rows(ledger.index, none))
    # Two settings were asked for, and the first one's answers are still known.
    assert sum(line.kind == "examination" for line in ledger.lines) == 2 * 4


def test_files_of_an_examination_are_named_by_what_stays(tmp_path: Path) -> None:
    few, more = Scripted(steady), Scripted(steady)
    measure(few, wanted("ac"), tmp_path)
    measure(more, wanted("abc"), tmp_path)
    assert "000-c-xnnpack-x1-binary" in few.examined
    assert set(few.examined) < set(more.examined)
    assert len(set(more.examined)) == 6
