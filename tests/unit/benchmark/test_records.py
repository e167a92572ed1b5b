"""What a benchmark states beside its ledger: the order of the processes, their samples, their number."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common.artifact import read
from common.ledger import read_lines, read_samples
from common.run.layout import benchmarks
from common.schema.benchmark import Benchmark, LedgerLine, MemoryLine, RunLine
from common.schema.evidence import Finding
from common.schema.outcome import Measured
from common.schema.variant import Variant
from jobs.benchmark.follows.check import follows
from jobs.benchmark.follows.records import Files, Records, derive, unlike_ledger, unlike_records, wanted_of
from jobs.benchmark.statistics import stat
from tests.unit.evidence.conftest import Packed
from tests.unit.evidence.conftest import with_samples as with_samples_

with_samples = with_samples_
Change = Callable[[list[LedgerLine]], list[LedgerLine]]


def found(packed: Packed, change: Change) -> list[Finding]:
    """What does not follow from a ledger that was changed."""
    run, settings = packed.whole.run, packed.whole.experiment.settings
    made = {name: read(run / "variants" / name / "variant.json", Variant) for name in settings.variants}
    ((stated, folder),) = benchmarks(run, ["Phone (one)"])
    samples = next(item.sha256 for item in stated.provenance.inputs if item.role == "samples")
    lines = change(list(read_lines(folder / "ledger.jsonl")))
    return list(unlike_ledger("benchmark.json", stated, lines, Files(made, samples), packed.whole.experiment))


def runs(lines: list[LedgerLine]) -> list[int]:
    return [place for place, line in enumerate(lines) if isinstance(line, RunLine)]


def memories(lines: list[LedgerLine]) -> list[int]:
    return [place for place, line in enumerate(lines) if isinstance(line, MemoryLine)]


def test_nothing_is_found_in_what_was_measured(with_samples: Packed) -> None:
    assert found(with_samples, lambda lines: lines) == []
    assert follows(with_samples.whole.run, with_samples.whole.experiment)[0] == []


CHANGES: dict[str, Change] = {
    "a run left out": lambda lines: [x for i, x in enumerate(lines) if i != runs(lines)[3]],
    "the last run left out": lambda lines: [x for i, x in enumerate(lines) if i != runs(lines)[-1]],
    "a run doubled": lambda lines: [*lines[: runs(lines)[4]], lines[runs(lines)[4]], *lines[runs(lines)[4] :]],
    "the last run doubled": lambda lines: [*lines, lines[runs(lines)[-1]]],
    "two runs in each other's place": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "memory left out": lambda lines: [x for i, x in enumerate(lines) if i != memories(lines)[0]],
    "memory doubled": lambda lines: [*lines, lines[memories(lines)[-1]]],
    "the session left out": lambda lines: lines[1:],
    "the session doubled": lambda lines: [*lines, lines[0]],
    "nothing left": lambda _: [],
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_line_that_is_missing_or_too_many(with_samples: Packed, what: str) -> None:
    assert found(with_samples, CHANGES[what])


@pytest.mark.parametrize("what", ["the last run left out", "the last run doubled", "memory left out", "memory doubled"])
def test_a_forger_who_makes_every_artifact_anew(with_samples: Packed, what: str) -> None:
    """The order of the processes, their end and their number give it away: the figures follow."""
    run, experiment = with_samples.whole.run, with_samples.whole.experiment
    made = {name: read(run / "variants" / name / "variant.json", Variant) for name in experiment.settings.variants}
    ((stated, folder),) = benchmarks(run, ["Phone (one)"])
    files = Files(made, next(item.sha256 for item in stated.provenance.inputs if item.role == "samples"))
    lines = CHANGES[what](list(read_lines(folder / "ledger.jsonl")))
    anew = derive(stated, lines, wanted_of(stated, files, "baseline"), experiment)
    said = [one.where for one in unlike_ledger("b", anew, lines, files, experiment)]
    words = ("the order of the processes", "the last process of session", "processes for the memory")
    assert said and all(any(word in where for word in words) for where in said)


def test_samples_have_the_figures_that_stand_beside_them(with_samples: Packed) -> None:
    ((_, folder),) = benchmarks(with_samples.whole.run, ["Phone (one)"])
    line = next(each for each in read_samples(folder / "ledger.jsonl") if isinstance(each, RunLine))
    assert isinstance(line.outcome, Measured)
    samples = (90.0, 100.0, 110.0)
    told = line.outcome.model_copy(update={"steady": stat(samples), "warmup": stat(samples[:1]), "first_us": 90.0})
    host = Records(folder, "benchmark/host", on_host=True)
    sound = line.model_copy(update={"samples_us": samples, "warmup_samples_us": samples[:1], "outcome": told})
    assert list(unlike_records(host, 2, sound)) == []
    changed = sound.model_copy(update={"samples_us": (90.0, 101.0, 110.0)})
    said = [one.text for one in unlike_records(host, 2, changed)]
    assert "benchmark/host/ledger.jsonl, line 2: steady.median_us is 100.0, but 101.0 follows" in said
    assert (host.processes, host.logs, host.alone) == (2, 0, 0)


def test_a_log_that_is_missing_or_says_otherwise(with_samples: Packed, tmp_path: Path) -> None:
    ((_, folder),) = benchmarks(with_samples.whole.run, ["Phone (one)"])
    line = next(each for each in read_samples(folder / "ledger.jsonl") if isinstance(each, RunLine))
    name = f"000-{line.order:04d}.log"
    (tmp_path / "logs").mkdir()
    assert "its log is logs/" in next(unlike_records(Records(tmp_path, "x", on_host=False), 2, line)).text
    text = (folder / "logs" / name).read_text(encoding="utf-8")
    (tmp_path / "logs" / name).write_text(text.replace("Init: 1250", "Init: 1251"), encoding="utf-8")
    said = [one.text for one in unlike_records(Records(tmp_path, "x", on_host=False), 2, line)]
    assert said == ["x/ledger.jsonl, line 2: outcome.init_us is 1250.0, but 1251.0 follows"]


def test_a_row_of_a_cell_that_nobody_measured(with_samples: Packed) -> None:
    def other(lines: list[LedgerLine]) -> list[LedgerLine]:
        return [line for line in lines if not isinstance(line, RunLine) or line.cell.variant != "v01"]

    assert any("v01" in one.where for one in found(with_samples, other))


def test_a_benchmark_of_another_reference(with_samples: Packed) -> None:
    run, experiment = with_samples.whole.run, with_samples.whole.experiment
    ((stated, folder),) = benchmarks(run, ["Phone (one)"])
    made = {name: read(run / "variants" / name / "variant.json", Variant) for name in experiment.settings.variants}
    samples = next(item.sha256 for item in stated.provenance.inputs if item.role == "samples")
    changed: Benchmark = stated.model_copy(update={"reference": "v01"})
    lines = list(read_lines(folder / "ledger.jsonl"))
    said = [one.text for one in unlike_ledger("b", changed, lines, Files(made, samples), experiment)]
    assert "b: .reference is v01, but baseline follows" in said
