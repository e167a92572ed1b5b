"""A benchmark's figures rest on its ledger, or it is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import UsageError
from common.run.ledger import check_ledger
from common.schema.benchmark import Benchmark, LedgerLine, MemoryLine, RunLine
from tests.unit.report import factories as f

LATENCY = 100.0


def written(
    folder: Path, changes: dict[str, object] | None = None, kept: Callable[[LedgerLine], bool] = lambda _line: True
) -> Benchmark:
    """A benchmark whose figures are `changes` after the ledger was written, with the lines that are `kept`."""
    summary = f.summary(LATENCY, None).model_copy(update={"memory_processes": 3})
    f.write_benchmark(folder, f.benchmark([f.row("baseline", summary)]))
    path = folder / "ledger.jsonl"
    lines = check_ledger(f.benchmark([f.row("baseline", summary)]), path)
    path.write_text("".join(f"{line.model_dump_json()}\n" for line in lines if kept(line)), encoding="utf-8")
    return f.benchmark([f.row("baseline", summary.model_copy(update=changes or {}))])


def test_what_the_lines_show_is_accepted(tmp_path: Path) -> None:
    assert len(check_ledger(written(tmp_path), tmp_path / "ledger.jsonl")) == 1 + 5 + 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"latency_us": LATENCY / 10}, "the 5 rounds of baseline on cpu"),
        ({"rounds": 6}, "the 6 rounds of baseline on cpu"),
        ({"memory_overall_mib": 0.5}, "the memory of baseline on cpu"),
        ({"memory_processes": 4}, "the memory of baseline on cpu"),
    ],
)
def test_figures_that_no_process_had_are_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=f"does not hold {words}"):
        check_ledger(written(tmp_path, changes), tmp_path / "ledger.jsonl")


@pytest.mark.parametrize(("kind", "words"), [(RunLine, "rounds"), (MemoryLine, "memory")])
def test_lines_that_are_gone_are_missed(tmp_path: Path, kind: type, words: str) -> None:
    made = written(tmp_path, kept=lambda line: not isinstance(line, kind))
    with pytest.raises(UsageError, match=f"does not hold the .*{words} of baseline"):
        check_ledger(made, tmp_path / "ledger.jsonl")


def test_memory_of_the_timed_processes_needs_no_others(tmp_path: Path) -> None:
    made = written(tmp_path, {"memory_processes": 0}, lambda line: not isinstance(line, MemoryLine))
    assert len(check_ledger(made, tmp_path / "ledger.jsonl")) == 1 + 5
