"""`make compare` and `make check`: two real runs of this machine beside each other."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from common.artifact import read
from common.schema.budget import Check
from common.schema.comparison import Comparison
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
[inputs]
source = "../samples"
[evaluate]
tolerance = { max_abs = 0.1 }
[variants.a]
file = "a.tflite"
[variants.b]
file = "b.tflite"
"""
)


@pytest.fixture(scope="module")
def runs(make: Make, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs whose second file differs: the later one answers something else."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "samples").mkdir()
    for place in range(3):
        np.save(folder / "samples" / f"{place}.npy", np.random.default_rng(place).random(4))
    for name, bias in (("base", 0.01), ("head", 1.0)):
        (folder / name).mkdir()
        (folder / name / "a.tflite").write_bytes(scaled_dense(bias=0.0))
        (folder / name / "b.tflite").write_bytes(scaled_dense(bias=bias))
        (folder / name / "files.toml").write_text(EXPERIMENT, encoding="utf-8")
        make("all", EXPERIMENT=folder / name / "files.toml", RUN=folder / name / "run")
    return folder / "base" / "run", folder / "head" / "run"


def test_what_changed_is_said_and_a_gate_closes(make: Make, runs: tuple[Path, Path]) -> None:
    base, head = runs
    said = make("compare", BASE=base, RUN=head).stdout
    assert "no difference inside of it is claimed" in said and f"comparison: {head}/compare/compare.md" in said
    assert "Beside the base" in (head / "compare" / "report" / "report.html").read_text(encoding="utf-8")
    found = read(head / "compare" / "compare.json", Comparison)
    assert {change.variant: change.same_file for change in found.variants} == {"a": True, "b": False}
    assert found.variant("b").quality.verdict == "shown to lose" and found.base.folder and not found.setup
    done = make("check", BASE=base, HEAD=head, check=False)
    assert done.returncode == 2 and "broken: accuracy loss of b: within the tolerance before" in done.stdout
    assert "(exit status 1)" in done.stdout and "Error 1" in done.stdout
    check = read(head / "check" / "check.json", Check)
    assert check.status == "broken" and check.exit_code == 1
    assert ElementTree.parse(head / "check" / "junit.xml").getroot().attrib["failures"] == "1"  # noqa: S314
    (base.parent / "budgets.toml").write_text("[[budget]]\nsize_mb = 1.0\n", encoding="utf-8")
    kept = make("check", HEAD=head, BUDGETS=base.parent / "budgets.toml")
    assert "Budgets kept: 2 kept (exit status 0)" in kept.stdout
    # Neither is a part of a run that make would take for changed.
    assert "Nothing to do" in make("all", EXPERIMENT=head.parent / "files.toml", RUN=head).stdout


def test_the_files_of_both_are_measured_in_turns(make: Make, runs: tuple[Path, Path]) -> None:
    base, head = runs
    said = make("compare", BASE=base, RUN=head, RERUN=1).stdout
    found = read(head / "compare" / "compare.json", Comparison)
    assert found.interleaved and "in turns in one session" in said
    assert {path.name for path in (head / "rerun" / "given").iterdir()} == {
        *("base-a.tflite", "base-b.tflite", "head-b.tflite")
    }
    assert {(change.variant, change.setting.backend) for change in found.cells} == {("b", "cpu"), ("b", "xnnpack")}
    make("clean", RUN=head)
    assert not head.exists()
