"""`make history`: real runs of this machine, one beside the other, and a comparison that takes what they show."""

from pathlib import Path

import pytest

from common.artifact import read
from common.schema.comparison import Comparison
from common.schema.history import History
from tests.e2e.conftest import Make
from tests.given import QUICK, scaled_dense

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXPERIMENT = (
    """
title = "Files"
reference = "a"
"""
    + QUICK
    + """\
backends = ["xnnpack"]
[variants.a]
file = "a.tflite"
[variants.b]
file = "b.tflite"
"""
)


def test_runs_become_a_history_that_a_comparison_takes(make: Make, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.tflite").write_bytes(scaled_dense(2 if name == "b" else 1))
    (tmp_path / "files.toml").write_text(EXPERIMENT, encoding="utf-8")
    runs, folder = tmp_path / "runs", tmp_path / "my history"
    for number in range(2):
        make("all", EXPERIMENT=tmp_path / "files.toml", RUN=runs / f"day-{number}")
    (runs / "damaged" / "benchmark" / "host").mkdir(parents=True)
    (runs / "damaged" / "benchmark" / "host" / "benchmark.json").write_text("{}", encoding="utf-8")
    said = make("history", RUNS=runs, HISTORY=folder).stdout
    assert "2 sessions of 2 runs" in said and "left out: damaged: " in said
    assert f"history: {folder}/history.html" in said
    found = read(folder / "history.json", History)
    assert found.targets == ("host",) and [past.run for past in found.sessions] == ["day-0", "day-1"]
    assert {(s.variant, s.measure, len(s.points)) for s in found.series} == {
        ("a", "latency", 2), ("b", "latency", 2), ("b", "beside the reference", 2)
    }  # fmt: skip
    assert "<svg" in (folder / "history.html").read_text(encoding="utf-8")
    assert (folder / "history.parquet").read_bytes()[:4] == b"PAR1"
    compared = make("compare", BASE=runs / "day-0", RUN=runs / "day-1", HISTORY=folder).stdout
    assert "0 further sessions of a history" in compared
    comparison = read(runs / "day-1" / "compare" / "compare.json", Comparison)
    # As in the history, where the two runs count too.
    assert [spread.sessions for spread in comparison.spreads] == [2, 2]
    assert make("history", RUNS=runs, HISTORY=folder, DEVICE="host").returncode == 0
    refused = make("history", check=False, RUNS=runs, HISTORY=folder, DEVICE="R5CT10ABC")
    assert refused.returncode == 2 and "was measured on R5CT10ABC (there are host)" in refused.stdout
