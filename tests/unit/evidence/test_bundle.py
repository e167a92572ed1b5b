"""A run is packed, and somebody who has nothing but the bundle checks it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import EdgeproofError, UsageError
from common.experiment import load
from common.provenance import ROOT
from jobs.evidence.archive import in_order
from jobs.evidence.checks import CHECKS
from jobs.evidence.pack import pack
from jobs.evidence.verify import verify
from tests import forgery
from tests.unit.evidence.conftest import Packed


def test_a_run_follows_from_its_records(with_images: Packed, capfd: pytest.CaptureFixture[str]) -> None:
    verify(with_images.bundle)
    said, errors = capfd.readouterr()
    assert errors == ""
    ticks = [line.split()[1] for line in said.splitlines() if line.startswith("  ✓")]
    assert len(ticks) == 8 and "✗" not in said
    # Every process of both devices is read again from what the tool printed.
    assert "72 processes on 2 targets, 72 logs read again" in said
    assert "Everything follows. Not proven by that:\n  - that the device was what it said" in said


def test_a_run_without_labels_follows_too(with_samples: Packed, capfd: pytest.CaptureFixture[str]) -> None:
    verify(with_samples.bundle)
    assert "3 evaluations from 48 answers" in capfd.readouterr().out


def test_the_same_run_gives_the_same_bytes(with_images: Packed, tmp_path: Path) -> None:
    whole = with_images.whole
    copy = tmp_path / "elsewhere"
    shutil.copytree(whole.run, copy)
    for number, path in enumerate(sorted(copy.rglob("*"))):
        path.chmod(0o700)
        os.utime(path, (number, number))
    (copy / "report" / ".lock").write_text("", encoding="utf-8")
    packed = pack(copy, whole.experiment, whole.path, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == with_images.bundle.read_bytes()
    assert packed.size_bytes == with_images.bundle.stat().st_size


def test_nothing_but_evidence_is_packed(with_images: Packed) -> None:
    names = set(forgery.unpacked(with_images.bundle))
    assert {"manifest.json", "experiment/whole.toml", "dataset/items.jsonl", "dataset/test_labels.npy"} <= names
    assert {"benchmark/one/ledger.jsonl", "benchmark/two/logs/000-0000.log", "best/choice.json"} <= names
    assert {"locks/docker/files/requirements.txt", "variants/v01/v01.tflite", "report/report.html"} <= names
    # The images are the user's own.
    assert not [name for name in names if "images" in name or ".lock" in name or "train_" in name]


def forged(packed: Packed, tmp_path: Path, name: str, change: dict[str, str]) -> Path:
    """The bundle with texts replaced in a file, and a manifest that fits."""
    files = forgery.unpacked(packed.bundle)
    text = files[name].decode()
    for before, after in change.items():
        assert before in text
        text = text.replace(before, after, 1)
    path = tmp_path / "forged.tar"
    path.write_bytes(forgery.packed(files | {name: text.encode()}, "whole"))
    return path


def test_a_figure_that_does_not_follow_is_named(with_images: Packed, tmp_path: Path) -> None:
    results = json.loads(forgery.unpacked(with_images.bundle)["report/results.json"])
    before = results["measurements"][1]["result"]["latency_us"]
    bundle = forged(
        with_images, tmp_path, "report/results.json", {f'"latency_us": {before}': f'"latency_us": {before - 100}'}
    )
    argv = [sys.executable, "-m", "jobs.evidence", "verify", str(bundle)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    where = "report/results.json: .measurements[1 baseline Phone (one) xnnpack 1].result.latency_us"
    assert said[0] == f"error: {where} is {before - 100}, but {before} follows"
    # The page was not made of it either.
    assert any(line.startswith("error: report/report.html, byte ") for line in said)
    assert "does not follow from its records" in said[-1]
    assert "✗ the report" in done.stdout and "✓ the latencies" in done.stdout


FORGED = {
    "a count of answers": (
        *("evaluate", "evaluation/v01/evaluation.json", {'"count": 30': '"count": 31'}),
        "evaluation/v01/evaluation.json: .count is 31, but 30 follows",
    ),
    "a card": ("choose", "best/model_card.md", {"v0": "v9"}, "best/model_card.md was changed after its stage wrote it"),
    "a page": ("report", "report/report.md", {"Whole": "Hole"}, "report/report.md, byte "),
    "a table": ("report", "report/results.csv", {"variant": "Variant"}, "report/results.csv, byte 0 is"),
    "a log": (
        *("benchmark", "benchmark/one/logs/000-0000.log", {"Init: 1250": "Init: 1150"}),
        "benchmark/one/ledger.jsonl, line 2: outcome.init_us",
    ),
    "a lock": ("report", "locks/docker/files/requirements.txt", {"numpy": "Numpy"}, "the hash of locks/ is"),
    "an experiment": (
        *("report", "experiment/whole.toml", {"seed = 5": "seed = 6"}),
        "provenance of the report: experiment_sha256 is",
    ),
    "a label": (
        *("dataset", "dataset/items.jsonl", {'"label":0': '"label":1'}),
        "items.jsonl was changed after its stage wrote it",
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forger_who_makes_the_hashes_fit(
    with_images: Packed,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    check, name, change, told = FORGED[what]
    # The others take their time, and say the same of every bundle.
    monkeypatch.setattr("jobs.evidence.checks.CHECKS", {check: CHECKS[check]})
    with pytest.raises(EdgeproofError, match="does not follow"):
        verify(forged(with_images, tmp_path, name, change))
    assert told in capfd.readouterr().err


def test_hashes_that_do_not_fit_are_named(
    with_images: Packed, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.evidence.checks.CHECKS", {})
    files = forgery.unpacked(with_images.bundle)
    changed = {name: content for name, content in files.items() if name != "report/report.md"}
    changed["train/more.txt"] = b"more"
    changed["variants/v01/v01.tflite"] = files["variants/v01/v01.tflite"][:-1] + b"x"
    bundle = tmp_path / "changed.tar"
    bundle.write_bytes(forgery.archived({name: changed[name] for name in in_order(list(changed))}))
    with pytest.raises(EdgeproofError, match="does not follow"):
        verify(bundle)
    said = capfd.readouterr().err
    assert "error: report/report.md is in the manifest alone" in said
    assert "error: train/more.txt is in the bundle alone" in said
    assert "error: variants/v01/v01.tflite: sha256 in the manifest is" in said
    assert "error: train/more.txt is there, but no such file follows" in said


def test_another_experiment_is_refused(with_images: Packed, tmp_path: Path) -> None:
    path = tmp_path / "whole.toml"
    path.write_text(with_images.whole.path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="the report is of experiment whole"):
        pack(with_images.whole.run, load(path), path, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_what_is_no_whole_run_is_refused(with_images: Packed, tmp_path: Path) -> None:
    whole = with_images.whole
    with pytest.raises(UsageError, match=r"results\.json does not exist"):
        pack(tmp_path, whole.experiment, whole.path, tmp_path / "b.tar")
    copy = tmp_path / "copy"
    shutil.copytree(whole.run, copy)
    (copy / "variants" / "v01" / "v01.tflite").write_bytes(b"other")
    with pytest.raises(UsageError, match="was changed after its stage wrote it"):
        pack(copy, whole.experiment, whole.path, tmp_path / "b.tar")


def test_a_link_in_a_run_is_not_followed(with_images: Packed, tmp_path: Path) -> None:
    whole = with_images.whole
    copy = tmp_path / "copy"
    shutil.copytree(whole.run, copy)
    secret = tmp_path / "secret"
    secret.write_text("mine", encoding="utf-8")
    (copy / "report" / "more.svg").symlink_to(secret)
    with pytest.raises(UsageError, match="leads out of"):
        pack(copy, whole.experiment, whole.path, tmp_path / "b.tar")


def test_a_bundle_that_is_not_there_is_no_forgery(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.tar does not exist"):
        verify(tmp_path / "none.tar")
