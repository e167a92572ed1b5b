"""Mistakes and mishaps: one clear line, the right exit status, nothing overwritten."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.provenance import ROOT
from tests.artifacts import EXPERIMENT, write_dataset, write_experiment
from tests.command import command
from tests.conftest import Chain
from tests.e2e.conftest import Make


def job(stage: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", f"jobs.{stage}", *map(str, arguments)]
    env = {**os.environ, **variables}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


def assert_one_line(done: subprocess.CompletedProcess[str], status: int, *told: str) -> None:
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == status, done.stderr
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in told:
        assert word in errors[0]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return path


def photos(folder: Path, **counts: int) -> Path:
    random = np.random.default_rng(1)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = Image.fromarray(random.integers(0, 255, (40, 40, 3), dtype=np.uint8))
            picture.save(folder / name / f"{number}.png")
    return folder


def test_an_unknown_key(tiny: Path, tmp_path: Path) -> None:
    tiny.write_text(EXPERIMENT + "\n[banchmark]\nrounds = 3\n", encoding="utf-8")
    done = job("train", "--experiment", tiny, "--dataset", tmp_path / "d", "--output", tmp_path / "t")
    assert_one_line(done, 2, str(tiny), "banchmark")


def test_a_missing_folder_of_images(tiny: Path, tmp_path: Path) -> None:
    done = command("dataset", "--experiment", tiny, "--data", tmp_path / "nowhere", "--output", tmp_path / "d")
    assert_one_line(done, 2, "nowhere")
    assert not (tmp_path / "d" / "dataset.json").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("batch_norm_momentum = 0.9", 'architecture = "mine.tflite"', "mine.tflite: a .tflite file cannot be trained"),
        ('"float16" }', '"float16", calibration_images = 9 }', "float16.convert.calibration_images: int8, int16x8, st"),
    ],
)
def test_what_can_never_be_made_is_told_by_the_plan(tiny: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    tiny.write_text(EXPERIMENT.replace(old, new, 1), encoding="utf-8")
    done = command("plan", "--experiment", tiny, "--run", tmp_path / "run")
    assert_one_line(done, 2, str(tiny), told)
    assert not (tmp_path / "run").exists()


def test_what_the_network_cannot_go_through_is_told_before_it_is_trained(tiny: Path, tmp_path: Path) -> None:
    text = EXPERIMENT.replace("frequency = 1,", "frequency = 500,")
    write_dataset(tmp_path / "dataset", write_experiment(tmp_path, text))
    tiny.write_text(text, encoding="utf-8")
    done = job("train", "--experiment", tiny, "--dataset", tmp_path / "dataset", "--output", tmp_path / "t")
    assert_one_line(done, 2, "variant 'pruned': prune: it would begin at step 500, and the fine-tuning has 4 steps")
    assert "epoch" not in done.stdout
    assert not (tmp_path / "t").exists()


def test_one_class_only(tiny: Path, tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", fire=8)
    done = command("dataset", "--experiment", tiny, "--data", source, "--output", tmp_path / "d")
    assert_one_line(done, 2, "fire")


def test_too_few_images_for_the_split(tiny: Path, tmp_path: Path) -> None:
    source = photos(tmp_path / "photos", fire=8, none=1)
    done = command("dataset", "--experiment", tiny, "--data", source, "--output", tmp_path / "d")
    assert_one_line(done, 2, "none")


@pytest.mark.slow
def test_an_image_in_place_of_a_model(chain: Chain, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "variants" / "baseline"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "variant.json", "PNG")
    done = job("evaluate", "--experiment", tiny, "--variant", folder, "--dataset", chain.folder / "dataset",
               "--output", tmp_path / "e")  # fmt: skip
    assert_one_line(done, 2, "variant.json")


@pytest.mark.slow
def test_an_output_that_is_an_input(chain: Chain, tiny: Path) -> None:
    dataset, training, baseline = (chain.folder / name for name in ("dataset", "train", "variants/baseline"))
    before = {path: path.stat().st_mtime_ns for path in chain.folder.rglob("*")}
    for done in (
        job("train", "--experiment", tiny, "--dataset", dataset, "--output", dataset),
        job("optimize", "--experiment", tiny, "--variant", "baseline", "--dataset", dataset, "--training", training,
            "--output", training),
        job("evaluate", "--experiment", tiny, "--variant", baseline, "--dataset", dataset, "--output", baseline),
        job("benchmark", "--experiment", tiny, "--variants", baseline.parent, "--output", baseline),
    ):  # fmt: skip
        assert_one_line(done, 2, "the input", "choose another --output")
    assert {path: path.stat().st_mtime_ns for path in chain.folder.rglob("*")} == before


@pytest.mark.slow
def test_an_unknown_variant(chain: Chain, tiny: Path, tmp_path: Path) -> None:
    done = job("optimize", "--experiment", tiny, "--variant", "tiny", "--dataset", chain.folder / "dataset",
               "--training", chain.folder / "train", "--output", tmp_path / "v")  # fmt: skip
    assert_one_line(done, 2, "unknown variant 'tiny'", "float16")


def test_an_unknown_device(chain: Chain, tiny: Path, tmp_path: Path) -> None:
    # No adb server is started for this: one that cannot be started says so before any device is looked for.
    there = {"ADB_SERVER_SOCKET": "tcp:127.0.0.1:1", "ADBUTILS_ADB_PATH": "/nonexistent/adb"}
    variants = ("--variants", chain.folder / "variants")
    done = job(
        "benchmark", "--experiment", tiny, *variants, "--device", "toaster", "--output", tmp_path / "out", **there
    )
    assert_one_line(done, 75, "adb server")


@pytest.mark.slow
def test_an_output_on_a_full_disk(chain: Chain, tiny: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", mounted], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        done = job("optimize", "--experiment", tiny, "--variant", "baseline", "--dataset", chain.folder / "dataset",
                   "--training", chain.folder / "train", "--output", mounted / "v")  # fmt: skip
        assert_one_line(done, 1, "no space left on the device")
        assert not list((mounted / "v").glob("*.json"))
        assert not list((mounted / "v").glob(".*.partial"))
    finally:
        subprocess.run(["umount", mounted], check=True)


@pytest.mark.slow
def test_training_on_a_full_disk(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    write_dataset(tmp_path / "dataset", write_experiment(tmp_path))
    # Room for the best weights (640 kB), not for the checkpoint, which holds Adam's state too.
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", mounted], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        done = job("train", "--experiment", tmp_path / "tiny.toml", "--dataset", tmp_path / "dataset",
                   "--output", mounted / "t")  # fmt: skip
        assert (mounted / "t" / "best.npz").exists()
        assert_one_line(done, 1, str(mounted / "t" / "checkpoints"), "no space left on the device")
        assert not (mounted / "t" / "training.json").exists()
    finally:
        subprocess.run(["umount", mounted], check=True)


@pytest.mark.slow
def test_no_engine_with_runtime_docker(make: Make, tiny: Path, tmp_path: Path) -> None:
    done = make(
        "dataset", check=False, env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
        EXPERIMENT=tiny, RUN=tmp_path / "run", RUNTIME="docker",
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stdout
    assert "RUNTIME=local" in done.stdout


def test_make_refuses_an_unknown_runtime(make: Make) -> None:
    done = make("all", check=False, RUNTIME="podman")
    assert done.returncode == 2
    assert "RUNTIME=podman is not one of auto, docker, local" in done.stdout


def test_help_lists_targets_and_variables(make: Make) -> None:
    said = make("help").stdout
    for word in ("all", "test", "EXPERIMENT", "DATA", "DEVICE", "RUNTIME"):
        assert word in said
