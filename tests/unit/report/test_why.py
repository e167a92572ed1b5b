"""The recommended variant beside the reference, in the report."""

import os
import subprocess
import sys
from pathlib import Path

from common.artifact import write_model
from common.numbers import ABSENT
from common.provenance import ROOT
from common.schema.examination import LayerTime
from common.schema.results import Results
from jobs.report.sections.reasons import section
from jobs.report.terminal import WIDTH
from jobs.report.why import between
from tests.unit.report.factories import NAMES, choice, latency, measurement, results


def layer(kind: str, us: float, *, delegated: bool = True) -> LayerTime:
    return LayerTime(index=0, kind=kind, name="conv2d/BiasAdd", mean_us=us, delegated=delegated)


def timed(**layers: tuple[LayerTime, ...]) -> Results:
    found = [
        measurement(name, latency(100.0, None).model_copy(update={"layers": layers.get(role, ())}), "xnnpack")
        for name, role in ((choice().reference, "reference"), (NAMES[-1], "best"))
    ]
    return results(choice=choice(), measurements=found)


def test_layers_of_both_stand_in_one_folded_table() -> None:
    found = timed(
        reference=(layer("CONV_2D", 90.0), layer("MUL", 10.0)),
        best=(layer("CONV_2D", 30.0), layer("DEQUANTIZE", 10.0, delegated=False)),
    )
    (table,) = between(found, choice().reference, NAMES[-1])
    assert table.folded
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["CONV_2D", "90.0", "30.0"],
        ["MUL", "10.0", ABSENT],
        ["DEQUANTIZE", ABSENT, "10.0"],
    ]
    assert any("25% of the time" in note and "quantize and dequantize" in note for note in table.notes)


def test_without_both_there_is_no_table() -> None:
    one = timed(best=(layer("CONV_2D", 30.0),))
    assert list(between(one, choice().reference, NAMES[-1])) == []
    assert section(results()) is None


def _explained(found: Results, folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    write_model(folder / "results.json", found)
    argv = [sys.executable, "-m", "jobs.report", "--summary", str(folder), "--why", *names]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_line_lays_any_two_side_by_side(tmp_path: Path) -> None:
    found = timed(
        reference=(layer("CONV_2D", 90.0), layer("MUL", 10.0)),
        best=(layer("CONV_2D", 30.0), layer("DEQUANTIZE", 10.0, delegated=False)),
    )
    reference, other = choice().reference, NAMES[-1]
    shown = _explained(found, tmp_path, other, reference)
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    # In the order that was asked for, not in the choice's.
    assert ["conv2d/BiasAdd", "CONV_2D", "30.0", "90.0"] in rows
    assert ["conv2d/BiasAdd", "DEQUANTIZE", "10.0", "*", ABSENT] in rows
    assert "is quantize and dequantize." in shown.stdout
    assert all(len(line) <= WIDTH for line in shown.stdout.splitlines())


def test_what_cannot_be_laid_side_by_side_is_one_line(tmp_path: Path) -> None:
    found = timed(reference=(layer("CONV_2D", 90.0),))
    for names, words in (
        (("baseline", "nobody"), "there is no variant nobody"),
        (("baseline", NAMES[-1]), "were not timed on one backend"),
    ):
        shown = _explained(found, tmp_path, *names)
        assert shown.returncode == 2
        assert words in shown.stderr
        assert len(shown.stderr.splitlines()) == 1
