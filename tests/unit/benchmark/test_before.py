"""Ledgers of rounds that held every cell once, as they were written before references stood around segments.

`tests/data/ledger_of_rounds.jsonl` was written by commit fe0f980; its figures are those that it printed.
"""

import shutil
from pathlib import Path

import pytest

from common.provenance import ROOT
from common.schema.benchmark import Summary
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.noise import noise
from jobs.benchmark.rows import rows, sessions
from jobs.benchmark.wanted import Wanted, resumable, unmeasured, want
from tests.unit.benchmark.scripted import Scripted, measure, measured

OLD = ROOT / "tests" / "data" / "ledger_of_rounds.jsonl"
# The defaults of then.
THEN = {"warmup_min_secs": 0.5, "min_secs": 1.0}


def wanted(rounds: int = 3, names: str = "abc") -> Wanted:
    settings = Settings.model_validate({"backends": ("cpu",), "rounds": rounds, "most_rounds": rounds, **THEN})
    return want({name: name * 64 for name in names}, settings, reference="a", seed=1, fingerprint="f" * 64)


def test_an_old_ledger_is_summarised_by_its_rounds() -> None:
    ledger = Ledger(OLD)
    found = {row.cell.variant: row.result for row in rows(ledger.index, wanted())}
    for name, latency, ratio in (("b", 107.06, (1.9811, 1.9398, 2.0483)), ("c", 168.064, (1.2385, 1.1972, 1.2885))):
        summary = found[name]
        assert isinstance(summary, Summary)
        assert summary.latency_us == pytest.approx(latency)
        assert summary.ratio is not None
        assert [one.round for one in summary.ratios] == [0, 1, 2]
        # Then the estimate was the median, now it is the geometric mean; the ends are the same.
        assert (summary.ratio.low, summary.ratio.high) == pytest.approx(ratio[1:], abs=1e-4)
        assert summary.ratio.value == pytest.approx(ratio[0], abs=0.02)
        assert summary.paired_rounds == 3
    assert noise(ledger.index.sessions[0]) == ()
    (told,) = sessions(ledger.index, wanted())
    assert (told.rounds, told.processes, told.stopped) == (3, 9, None)


def test_its_complete_cells_are_used_and_what_is_new_is_measured_in_the_new_form(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    shutil.copy(OLD, path)
    assert unmeasured(Ledger(path).index, wanted()) == ()
    target = Scripted(lambda _cell, _seen: measured(100.0))
    ledger = measure(target, wanted(names="abcd"), tmp_path, Ledger(path))
    assert {run.cell.variant for run in ledger.index.sessions[1].runs} == {"a", "d"}
    by_name = {row.cell.variant: row.session for row in rows(ledger.index, wanted(names="abcd"))}
    assert by_name == {"a": 1, "b": 0, "c": 0, "d": 1}


def test_one_that_was_interrupted_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"\n".join(OLD.read_bytes().splitlines()[:8]) + b"\n")
    ledger = Ledger(path)
    assert resumable(ledger.index, wanted()) is None
    # One cell of it has its three rounds; the others and the reference are measured anew.
    assert {cell.variant for cell in unmeasured(ledger.index, wanted())} == {"a", "b", "c"} - {"b"}
    measure(Scripted(lambda _cell, _seen: measured(100.0)), wanted(), tmp_path, ledger)
    assert len(ledger.index.sessions) == 2
    assert unmeasured(ledger.index, wanted()) == ()


def test_other_rounds_were_other_settings_then(tmp_path: Path) -> None:
    assert {cell.variant for cell in unmeasured(Ledger(OLD).index, wanted(rounds=4))} == {"a", "b", "c"}
