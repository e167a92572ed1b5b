"""`make all MODELS=`: finished files to a report, without training."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from common.artifact import read, sha256_file
from common.schema.choice import Choice
from common.schema.results import Latency, Results
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.phone.personality import Outputs
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import fake_binary
from tests.e2e.conftest import Make
from tests.given import QUICK, TINY, adding, scaled_dense

__all__ = ["adb_server", "stand_in", "stand_ins"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXPERIMENT = (
    """
title = "Files"
reference = "a"
"""
    + QUICK
    + """\
[inputs]
source = "samples"
[evaluate]
tolerance = { max_abs = 0.1 }
[variants.a]
file = "a.tflite"
[variants.near]
file = "near.tflite"
[variants.far]
file = "far.tflite"
"""
)


def test_files_become_a_report_and_a_second_time_nothing_is_done(tmp_path: Path, make: Make) -> None:
    (tmp_path / "models").mkdir()
    for name in ("one", "two"):
        (tmp_path / "models" / f"{name}.tflite").write_bytes(adding())
    run = tmp_path / "run"
    said = make("all", MODELS=tmp_path / "models", RUN=run).stdout
    results = read(run / "report" / "results.json", Results)
    assert [variant.name for variant in results.variants] == ["one", "two"]
    assert results.dataset is None and results.training is None and results.evaluations == ()
    assert results.samples is not None and [port.name for port in results.samples.ports] == ["left", "right"]
    assert len(results.measurements) == 4
    assert "by size and latency alone" in said
    assert not (run / "train").exists() and not (run / "dataset").exists()
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert "drawn at random" in page and "Agreement with one" in page
    choice = read(run / "best" / "choice.json", Choice)
    # Two copies of one file: none is better, so the reference it is.
    assert choice.best == "one" and choice.judgement is not None and choice.judgement.of("two").same_file
    assert choice.model is not None
    assert (run / "best" / choice.model.path).read_bytes() == adding()
    assert "Nothing to do" in make("all", MODELS=tmp_path / "models", RUN=run).stdout


def test_a_phone_has_the_same_samples_and_other_answers_are_no_figure(
    tmp_path: Path, make: Make, adb_server: AdbServer, stand_in: StandIn
) -> None:
    for name, outputs in (("one", ("sum:0", "twice:0")), ("two", ("total", "double"))):
        (tmp_path / f"{name}.tflite").write_bytes(adding(("left:0", "right:0", *outputs)))
    (tmp_path / "tool").write_bytes(fake_binary())
    asked = f"(?=.*{sha256_file(tmp_path / 'two.tflite')[:16]})(?=.*--use_xnnpack=true)(?=.*--output_filepath)"
    stand_in.arm(Fault(Kind.WRONG_OUTPUTS, matching=asked, times=None, outputs=Outputs.SHUFFLED))
    chosen = {"MODELS": tmp_path, "RUN": tmp_path / "run", "DEVICE": stand_in.serial}
    chosen |= {"BENCHMARK_BINARY": tmp_path / "tool"}
    env = adb_server.address | {"EDGEPROOF_LOCKS": str(tmp_path / "locks")}
    said = make("all", env=env, **chosen).stdout
    results = read(tmp_path / "run" / "report" / "results.json", Results)
    latencies = {(m.variant, m.backend): m.result for m in results.measurements}
    found = {key: each.answers for key, each in latencies.items() if isinstance(each, Latency)}
    assert all(check is not None and check.images == 4 for check in found.values()) and len(found) == 4
    wrong = {key: check.wrong for key, check in found.items() if check is not None and check.wrong is not None}
    assert list(wrong) == [("two", "xnnpack")]
    page = (tmp_path / "run" / "report" / "report.md").read_text(encoding="utf-8")
    assert "4 samples" in page and "gives wrong answers: the answers to 4 of 4 samples" in page
    choice = read(tmp_path / "run" / "best" / "choice.json", Choice)
    assert {s.candidate.name: s.eligible for s in choice.standings} == {"one": True, "two": False}
    assert choice.judgement is not None
    verdicts = {(s.variant, s.setting.backend): s.verdict for s in choice.judgement.speeds}
    assert verdicts["two", "xnnpack"] == "not compared" != verdicts["two", "cpu"]
    assert "Traceback" not in said
    fed = [line for line in stand_in.phone.history if "--graph=" in line]
    assert all("--input_layer_value_files=left::0:" in line for line in fed)
    assert "Nothing to do" in make("all", env=env, **chosen).stdout


def test_a_tolerance_decides_and_a_changed_file_alone_is_made_anew(tmp_path: Path, make: Make) -> None:
    for name, bias in (("a", 0.0), ("near", 0.05), ("far", 1.0)):
        (tmp_path / f"{name}.tflite").write_bytes(scaled_dense(bias=bias))
    (tmp_path / "samples").mkdir()
    for place in range(3):
        np.save(tmp_path / "samples" / f"{place}.npy", np.random.default_rng(place).random(4))
    (tmp_path / "files.toml").write_text(EXPERIMENT, encoding="utf-8")
    run = tmp_path / "run"
    make("all", EXPERIMENT=tmp_path / "files.toml", RUN=run)
    choice = read(run / "best" / "choice.json", Choice)
    assert choice.judgement is not None and choice.judgement.basis == "agreement"
    assert {s.candidate.name: s.eligible for s in choice.standings} == {"a": True, "near": True, "far": False}
    assert "beyond the tolerance" in next(s.reason for s in choice.standings if s.candidate.name == "far")
    times = {path: path.stat().st_mtime_ns for path in run.rglob("*.json")}
    (tmp_path / "far.tflite").write_bytes(scaled_dense(bias=0.01))
    make("all", EXPERIMENT=tmp_path / "files.toml", RUN=run)
    changed = {path.relative_to(run).as_posix() for path in times if path.stat().st_mtime_ns != times[path]}
    assert "variants/far/variant.json" in changed and "variants/near/variant.json" not in changed
    again = read(run / "best" / "choice.json", Choice)
    assert again.judgement is not None
    # The new latency is from a session of its own: the machine may have been too busy in one of the two, and what was
    # measured in that one cannot be ranked. Nothing else may speak against any of them.
    assert {reason.fault for told in again.judgement.variants for reason in told.reasons} <= {"measurement"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": TINY, "b": adding()}, "error: b has 2 inputs, but the reference has 1"),
        ({"a": b"junk"}, "a.tflite: not a .tflite file"),
    ],
)
def test_what_cannot_be_measured_together_is_one_line(
    tmp_path: Path, make: Make, files: dict[str, bytes], said: str
) -> None:
    for name, content in files.items():
        (tmp_path / f"{name}.tflite").write_bytes(content)
    done = make("all", MODELS=tmp_path, RUN=tmp_path / "run", check=False)
    assert done.returncode == 2
    assert said in done.stdout and "Traceback" not in done.stdout


def test_a_file_stands_beside_trained_variants(tmp_path: Path, make: Make, finished: tuple[Path, Path, str]) -> None:
    """Both kinds in one benchmark and one report, judged by the same labels; only the file is new."""
    experiment, done, _ = finished
    shutil.copytree(done, tmp_path / "run")
    shutil.copy(done / "variants" / "float16" / "float16.tflite", tmp_path / "colleague.tflite")
    more = '[variants.colleague]\nfile = "colleague.tflite"\n'
    (tmp_path / "small.toml").write_text(experiment.read_text(encoding="utf-8") + more, encoding="utf-8")
    said = make("all", EXPERIMENT=tmp_path / "small.toml", RUN=tmp_path / "run").stdout
    assert "] adopt colleague" in said and "] train" not in said and "] optimize" not in said
    results = read(tmp_path / "run" / "report" / "results.json", Results)
    found = {evaluation.variant: evaluation.accuracy for evaluation in results.evaluations}
    assert found["colleague"] == found["float16"]
    assert [variant.steps for variant in results.variants if variant.name == "colleague"] == [
        ("the file colleague.tflite",)
    ]


def test_images_with_labels_judge_given_classifiers(
    tmp_path: Path, make: Make, finished: tuple[Path, Path, str]
) -> None:
    """The files' input says how large the images are, and the labels inside of one which output is whose."""
    from tests.e2e.test_bad_input import photos

    source = photos(tmp_path / "photos", fire=30, none=30)
    (tmp_path / "models").mkdir()
    shutil.copy(finished[1] / "variants" / "baseline" / "baseline.tflite", tmp_path / "models" / "baseline.tflite")
    shutil.copy(next((finished[1] / "best").glob("*.tflite")), tmp_path / "models" / "packed.tflite")
    make("all", MODELS=tmp_path / "models", DATA=source, RUN=tmp_path / "run")
    results = read(tmp_path / "run" / "report" / "results.json", Results)
    assert results.dataset is not None and (results.dataset.height, results.dataset.width) == (48, 48)
    assert [evaluation.variant for evaluation in results.evaluations] == ["baseline", "packed"]
    assert all(evaluation.keras is None for evaluation in results.evaluations)
    assert results.choice is not None and results.choice.judgement is not None
    assert results.choice.judgement.basis == "accuracy"
    assert results.training is None
