"""Training end to end on a tiny data set: real TensorFlow, in processes of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.artifact import read
from common.schema.training import Training
from tests.artifacts import EXPERIMENT, write_dataset, write_experiment

LONG = EXPERIMENT.replace("epochs = 2", "epochs = 6\nschedule = 'cosine'\n", 1).replace(
    "[variants.baseline]", "[train.augmentation]\nflip = true\ncrop = 0.2\ncolour = 0.2\n[variants.baseline]", 1
)


def command(tmp_path: Path, output: Path) -> list[str]:
    return [
        sys.executable, "-m", "jobs.train", "--experiment", str(tmp_path / "tiny.toml"),
        "--dataset", str(tmp_path / "dataset"), "--output", str(output),
    ]  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "dataset", write_experiment(tmp_path, LONG))
    return tmp_path


def train(tmp_path: Path, output: Path) -> Training:
    subprocess.run(command(tmp_path, output), check=True, timeout=120)
    return read(output / "training.json", Training)


@pytest.mark.slow
def test_killed_training_goes_on_and_ends_with_the_same_bytes(inputs: Path) -> None:
    whole = train(inputs, inputs / "whole")
    broken = inputs / "broken"
    process = subprocess.Popen(command(inputs, broken), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 3/6"):
            break
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (broken / "training.json").exists()
    resumed = train(inputs, broken)
    assert resumed.resumed_at
    assert resumed.resumed_at[0] >= 3
    assert [e.loss for e in resumed.epochs] == [e.loss for e in whole.epochs]
    assert resumed.model.sha256 == whole.model.sha256
    assert train(inputs, inputs / "again").model.sha256 == whole.model.sha256
