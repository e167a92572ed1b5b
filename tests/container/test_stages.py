"""Stages really run in their containers: training, optimising, and measuring on this machine."""

import os
from pathlib import Path

import pytest

from common.artifact import read, sha256_file
from common.schema.benchmark import Benchmark
from common.schema.training import Training
from common.schema.variant import Variant
from tests.artifacts import write_dataset, write_experiment
from tests.container.conftest import BUILD_TIMEOUT_S, Built, Launcher

pytestmark = [pytest.mark.container, pytest.mark.timeout(BUILD_TIMEOUT_S)]
EXPERIMENT = """
title = "Tiny"
seed = 7
[data]
height = 32
width = 32
[train]
epochs = 1
batch_size = 16
learning_rate = 1e-3
[benchmark]
rounds = 1
most_rounds = 1
num_runs = 2
min_secs = 0.0
warmup_min_secs = 0.0
[variants.baseline]
convert = { format = "float32" }
"""


def stage(launcher: Launcher, image: str, read: list[Path], write: Path, *argv: str) -> None:
    """Run a stage of the tiny experiment in a container; it must succeed."""
    options = [part for path in read for part in ("--read", str(path))]
    job = ["python", "-m", *argv, "--experiment", str(read[0]), "--output", str(write)]
    done = launcher.call("run", "--image", image, *options, "--write", str(write), "--", *job, timeout_s=240)
    assert done.returncode == 0, done.stderr


def test_train_optimize_and_benchmark_in_containers(
    launcher: Launcher, training_image: Built, adb_image: Built, tmp_path: Path
) -> None:
    experiment = write_experiment(tmp_path, EXPERIMENT)
    file, dataset, train = tmp_path / "tiny.toml", tmp_path / "dataset", tmp_path / "train"
    variants, measured = tmp_path / "variants", tmp_path / "host"
    write_dataset(dataset, experiment)
    before = {path: sha256_file(path) for path in sorted(dataset.iterdir())}

    stage(launcher, "training", [file, dataset], train, "jobs.train", "--dataset", str(dataset))
    arguments = ["--variant", "baseline", "--dataset", str(dataset), "--training", str(train)]
    stage(launcher, "training", [file, dataset, train], variants / "baseline", "jobs.optimize", *arguments)
    stage(launcher, "adb", [file, variants], measured, "jobs.benchmark", "--variants", str(variants))

    assert {path: sha256_file(path) for path in sorted(dataset.iterdir())} == before
    training = read(train / "training.json", Training)
    variant = read(variants / "baseline" / "variant.json", Variant)
    benchmark = read(measured / "benchmark.json", Benchmark)
    runtimes = [made.provenance.runtime for made in (training, variant, benchmark)]
    assert [runtime.kind for runtime in runtimes] == ["container"] * 3
    assert [runtime.image for runtime in runtimes] == [training_image.id, training_image.id, adb_image.id]
    assert training.provenance.code.commit is not None or not (launcher.root / ".git").exists()
    assert {row.result.kind for row in benchmark.rows} == {"summary"}
    assert {path.stat().st_uid for path in train.rglob("*")} == {os.getuid()}


def test_a_models_code_runs_where_it_reaches_nothing(
    launcher: Launcher, training_image: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEPROOF_TRUST", raising=False)
    assert training_image.id
    mark = tmp_path / "mark"
    code = (
        "import socket\nfrom tf_keras import Sequential, layers\n"
        "def build(shape, classes):\n"
        # The container's own layer may take the file: it must not be the host's.
        f"    try:\n        open({str(mark)!r}, 'w')\n    except OSError:\n        pass\n"
        "    try:\n        socket.create_connection(('192.0.2.1', 53), 2)\n    except TimeoutError:\n"
        "        raise SystemExit('there is a network') from None\n    except OSError:\n        pass\n"
        "    else:\n        raise SystemExit('it got out')\n"
        "    return Sequential([layers.Input(shape), layers.Flatten(), layers.Dense(classes, 'softmax')])\n"
    )
    (tmp_path / "net.py").write_text(code, encoding="utf-8")
    text = EXPERIMENT.replace("[train]", '[model]\narchitecture = "net.py"\n[train]')
    experiment = write_experiment(tmp_path, text)
    file, dataset = tmp_path / "tiny.toml", tmp_path / "dataset"
    write_dataset(dataset, experiment)
    read_only = [file, dataset, tmp_path / "net.py"]
    stage(launcher, "training", read_only, tmp_path / "train", "jobs.train", "--dataset", str(dataset))
    assert not mark.exists()
