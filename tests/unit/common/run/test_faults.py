"""Some of the trials of tests/benchmarks/injected_faults.py, on the tests' own run."""

import shutil
from pathlib import Path

import pytest

from common.experiment import load
from common.run.read import Folders
from tests.artifacts import EXPERIMENT, make_alive
from tests.benchmarks.injected_faults import FAULTS, trials, victims
from tests.conftest import Chain
from tests.unit.report import factories as f


@pytest.fixture
def folders(chain: Chain, tmp_path: Path) -> Folders:
    evaluations = shutil.copytree(chain.folder / "evaluation", tmp_path / "evaluation")
    rows = []
    for name, variant in chain.variants.items():
        make_alive(evaluations / name)
        summary = f.summary(1000.0 if name == "baseline" else 500.0, None if name == "baseline" else 1000.0)
        rows.append(f.row(name, summary, "xnnpack", sha256=variant.model.sha256))
    f.write_benchmark(tmp_path / "host", f.benchmark(rows))
    run = chain.folder
    return Folders(run / "dataset", run / "train", run / "variants", evaluations, (tmp_path / "host",))


def test_no_fault_is_recommended_or_shown_as_a_figure(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "lenient.toml").write_text(f"{EXPERIMENT}[choose]\nmargin = 1.0\n", encoding="utf-8")
    experiment = load(tmp_path / "lenient.toml")
    assert len(victims(experiment, folders)) == 5
    seen = list(trials(experiment, folders, tmp_path / "zeroed", 2 * len(FAULTS), seed=3))
    assert {name for name, _ in seen} == {fault.__name__ for fault in FAULTS}
    assert [(name, found) for name, found in seen if found] == []
    # Not all of them are refused: the judge sees the others.
    assert any(found == [] for _, found in seen)
