"""Memory in processes of its own: this machine's interpreter, and what the ledger says is still to do."""

import shutil
from pathlib import Path

import pytest

from common.schema.benchmark import Cell, LedgerLine, MemoryLine, RunLine, Summary
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Memory, Outcome
from jobs.benchmark import memory
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.protocol import Bench, run
from jobs.benchmark.rows import rows
from jobs.benchmark.statistics import memory_of
from jobs.benchmark.targets.host import HostTarget
from jobs.benchmark.wanted import Wanted, want
from tests.conftest import Chain
from tests.unit.benchmark.scripted import Scripted, measure, measured
from tests.unit.benchmark.scripted import wanted as scripted_wanted
from tests.unit.benchmark.test_before import OLD
from tests.unit.benchmark.test_before import wanted as wanted_then

QUICK = Settings(
    backends=("xnnpack",), rounds=1, most_rounds=1, num_runs=3, min_secs=0.0, warmup_min_secs=0.0, profile=False
)


def kinds(lines: list[LedgerLine]) -> list[str]:
    return [line.kind for line in lines]


def summary(ledger: Ledger, wanted: Wanted, name: str) -> Summary:
    found = next(row.result for row in rows(ledger.index, wanted) if row.cell.variant == name)
    assert isinstance(found, Summary)
    return found


def bench(target: Scripted, folder: Path, names: str = "ab") -> Bench:
    models = {name: folder / name for name in names}
    return Bench(target, models, Settings(), folder / "logs", clock=target, quiet=True)


def test_a_real_models_memory_is_of_processes_after_the_timed_ones(chain: Chain, tmp_path: Path) -> None:
    names = ("baseline", "dynamic_range")
    models = {name: chain.model(name) for name in names}
    asked = want(dict.fromkeys(names, "0" * 64), QUICK, reference="baseline", seed=1, fingerprint="f" * 64)
    real = Bench(HostTarget(), models, QUICK, tmp_path / "logs", quiet=True)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    run(real, ledger, asked)
    memory.run(real, ledger, asked)
    seen = kinds(ledger.lines)
    # On a busy machine processes are repeated.
    runs = seen.count("run")
    assert runs >= 3 and seen == ["session", *["run"] * runs, *["memory"] * 6]
    for name in names:
        found = summary(Ledger(tmp_path / "ledger.jsonl"), asked, name)
        assert found.memory_processes == 3
        assert found.memory_overall_mib >= found.memory_init_mib > 0.5
        # Python, numpy and LiteRT were there before.
        assert found.memory_peak_mib is not None
        assert found.memory_peak_mib - found.memory_overall_mib > 10


def test_the_figures_are_the_medians_of_those_processes_and_not_of_the_timed_ones(tmp_path: Path) -> None:
    def grown(_cell: Cell, seen: int) -> Outcome:
        changes = {"memory_init_kib": 1024, "memory_overall_kib": 2048 * (1 + seen % 3), "memory_peak_kib": 30720}
        return measured(5.0 if seen < 3 else 100.0).model_copy(update=changes)

    timed = Scripted(lambda _cell, _seen: measured(100.0))
    ledger = measure(timed, scripted_wanted(), tmp_path)
    before = [line for line in ledger.lines if isinstance(line, RunLine)]
    memory.run(bench(Scripted(grown), tmp_path), ledger, scripted_wanted())
    found = summary(ledger, scripted_wanted(), "a")
    assert (found.memory_init_mib, found.memory_overall_mib, found.memory_peak_mib) == (1.0, 4.0, 30.0)
    # Their latencies, another one, are nowhere.
    assert (found.latency_us, found.latency_low_us, found.first_us) == (100.0, 100.0, 100.0)
    assert [line for line in ledger.lines if isinstance(line, RunLine)] == before


def test_what_is_there_is_not_run_again_and_a_failure_is_an_answer(tmp_path: Path) -> None:
    asked = scripted_wanted()
    ledger = measure(Scripted(lambda _cell, _seen: measured(100.0)), asked, tmp_path, Ledger(tmp_path / "whole.jsonl"))
    broken = Scripted(lambda cell, _seen: Failed(reason="killed", log=None) if cell.variant == "b" else measured(1.0))
    memory.run(bench(broken, tmp_path), ledger, asked)
    # Two variants on two backends.
    assert len(broken.remembered) == 4 * memory.PROCESSES == len(set(broken.remembered))
    path = tmp_path / "rest.jsonl"
    path.write_bytes((tmp_path / "whole.jsonl").read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    rest = Scripted(lambda _cell, _seen: measured(1.0))
    again = Ledger(path)
    memory.run(bench(rest, tmp_path), again, asked)
    assert len(rest.remembered) == 1
    memory.run(bench(rest, tmp_path), again, asked)
    assert len(rest.remembered) == 1
    assert summary(ledger, asked, "a").memory_processes == 3
    # None of its own ended well: what the timed processes told is better than nothing, and said to be theirs.
    failed = summary(ledger, asked, "b")
    assert (failed.memory_processes, failed.memory_overall_mib) == (0, 2 / 1024)


def test_a_cell_that_was_never_measured_has_no_memory_process(tmp_path: Path) -> None:
    def outcome(cell: Cell, _seen: int) -> Outcome:
        return Failed(reason="crashed", log=None) if cell.variant == "b" else measured(100.0)

    target = Scripted(outcome)
    ledger = measure(target, scripted_wanted(), tmp_path)
    memory.run(bench(target, tmp_path), ledger, scripted_wanted())
    assert {line.cell.variant for line in ledger.lines if isinstance(line, MemoryLine)} == {"a"}


def test_an_old_ledgers_memory_is_of_its_timed_processes_until_others_ran(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    shutil.copy(OLD, path)
    ledger, asked = Ledger(path), wanted_then()
    before = summary(ledger, asked, "b")
    assert before.memory_processes == 0
    assert before.memory_peak_mib is None
    target = Scripted(lambda _cell, _seen: measured(1.0))
    memory.run(bench(target, tmp_path, "abc"), ledger, asked)
    after = summary(ledger, asked, "b")
    assert after.memory_processes == 3
    figures = {name for name in Summary.model_fields if not name.startswith("memory_")}
    assert after.model_dump(include=figures) == before.model_dump(include=figures)


@pytest.mark.parametrize("backend", ["cpu", "xnnpack"])
def test_one_process_tells_growth_and_peak(chain: Chain, tmp_path: Path, backend: str) -> None:
    cell = Cell(variant="baseline", model_sha256="0" * 64, backend=backend, threads=1)
    found = HostTarget().memory(chain.model("baseline"), cell, memory.brief(QUICK), tmp_path / "log")
    assert isinstance(found, Measured)
    assert found.steady.count == memory.RUNS
    kept = memory_of(found)
    assert isinstance(kept, Memory)
    assert kept.peak_kib is not None
    assert kept.peak_kib > kept.overall_kib >= kept.init_kib
