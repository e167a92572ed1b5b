"""Batches, proportions, provenance and the command-line edge."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from common.batches import Batches, class_weights
from common.proportion import wilson
from common.provenance import ROOT, Recorder
from tests.artifacts import write_experiment


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5), st.integers(0, 9))
def test_an_epoch_visits_every_image_once_in_an_order_of_its_own(n: int, size: int, seed: int, epoch: int) -> None:
    images = np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1)
    labels = np.arange(n, dtype=np.int32)
    batches = Batches(images, labels, size, seed)
    seen = list(batches.epoch(epoch))
    assert len(seen) == batches.steps
    assert all(np.array_equal(pictures.ravel(), classes) for pictures, classes in seen)
    assert sorted(np.concatenate([classes for _, classes in seen])) == list(range(n))
    again = [classes.tolist() for _, classes in Batches(images, labels, size, seed).epoch(epoch)]
    assert again == [classes.tolist() for _, classes in seen]


def test_epochs_differ() -> None:
    batches = Batches(np.zeros((50, 1, 1, 1), np.uint8), np.arange(50, dtype=np.int32), 10, 1)
    first, second = (np.concatenate([c for _, c in batches.epoch(e)]).tolist() for e in (0, 1))
    assert first != second


def test_class_weights_balance() -> None:
    weights = class_weights((30, 10))
    assert weights[0] * 30 == pytest.approx(weights[1] * 10)
    assert weights[0] * 30 + weights[1] * 10 == pytest.approx(40)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    ours = wilson(*counts)
    theirs = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_provenance_names_what_it_was_made_from(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    found = Recorder("train", experiment).finish({"dataset": "0" * 64}, ["numpy"])
    assert (found.stage, found.experiment, found.seed) == ("train", "tiny", 7)
    assert found.experiment_sha256 == experiment.sha256
    assert found.inputs[0].role == "dataset"
    assert found.versions["numpy"] == np.__version__
    assert found.runtime.lock_sha256 is not None
    assert found.started_at <= found.finished_at


CLI = """
import errno, sys
from common import cli
from common.errors import EdgeproofError, TryLaterError, UsageError
def main(what: str) -> None:
    match what:
        case "usage": raise UsageError("bad\\nkey", hint="mend it")
        case "failure": raise EdgeproofError("broken")
        case "later": raise TryLaterError("busy")
        case "full": raise OSError(errno.ENOSPC, "No space", "/x/y")
        case "ctrl-c": raise KeyboardInterrupt
        case "bug": raise ZeroDivisionError
        case "package": import no_such_package.part
        case "own": import common.no_such_module
cli.run(main)
"""


@pytest.mark.parametrize(
    ("what", "status", "told"),
    [
        ("usage", 2, "error: bad key (mend it)\n"),
        ("failure", 1, "error: broken\n"),
        ("later", 75, "error: busy\n"),
        ("full", 1, "error: /x/y: no space left on the device (free some space and run make again)\n"),
        ("ctrl-c", 130, ""),
        ("package", 1, "error: the package no_such_package is not installed here (run make setup)\n"),
    ],
)
def test_errors_are_one_line_and_a_status(what: str, status: int, told: str) -> None:
    done = subprocess.run([sys.executable, "-c", CLI, what], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (status, told)


def test_a_pattern_that_became_thousands_of_paths_is_a_short_line() -> None:
    paths = [f"{number}.tflite" for number in range(5000)]
    done = subprocess.run([sys.executable, "-c", CLI, *paths], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "1.tflite" in done.stderr
    assert len(done.stderr) < 400


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "error: Missing argument 'what' (see --help)\n"),
        (("--no-such",), "error: No such option: --no-such (see --help)\n"),
        (("a", "b"), "error: Got unexpected extra argument(s) (b) (see --help)\n"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: tuple[str, ...], told: str) -> None:
    done = subprocess.run([sys.executable, "-c", CLI, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, told)


@pytest.mark.parametrize(("what", "error"), [("bug", "ZeroDivisionError"), ("own", "no_such_module")])
def test_a_bug_keeps_its_traceback(what: str, error: str) -> None:
    done = subprocess.run([sys.executable, "-c", CLI, what], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert error in done.stderr and "Traceback" in done.stderr


FULL = """
from pathlib import Path
from common import cli
def main() -> None:
    Path("/dev/full").write_text("x")
cli.run(main)
"""


def test_a_really_full_disk_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "no space left on the device" in done.stderr
    assert done.stderr.count("\n") == 1
