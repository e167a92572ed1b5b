"""`make all` on a saved model of Keras 3: from `.keras` files to a report, without training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.artifact import read
from common.schema.choice import Choice
from common.schema.results import Results
from common.schema.variant import Variant
from tests.e2e.conftest import Make
from tests.given import QUICK

# Stages with TensorFlow start eight times.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Keras 3 in a process of its own, as its users have it.
SAVE = """
import sys, keras
from keras import layers
keras.utils.set_random_seed(int(sys.argv[2]))
images = keras.Input((32, 32, 3), name="image")
features = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2, activation="relu")(images - 0.5))
keras.Model(images, layers.Dense(2, "softmax")(features)).save(sys.argv[1])
"""
EXPERIMENT = (
    """
title = "A Keras 3 model"
reference = "float"
[data]
source = "synthetic-flames"
synthetic_images = 120
validation_share = 0.05
test_share = 0.5
"""
    + QUICK
    + """\
[variants.float]
from = "mine.keras"
convert = { format = "float32" }
[variants.int8]
from = "mine.keras"
convert = { format = "int8", integer_io = true }
[variants.weights]
from = "mine.keras"
convert = { format = "weight_only_wi8_afp32" }
"""
)


def saved(path: Path, seed: int) -> None:
    """Save an untrained classifier of two classes."""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    environment.pop("TF_USE_LEGACY_KERAS", None)
    subprocess.run([sys.executable, "-c", SAVE, str(path), str(seed)], env=environment, check=True, capture_output=True)


def test_a_keras_3_model_becomes_a_report(tmp_path: Path, make: Make) -> None:
    saved(tmp_path / "mine.keras", 1)
    (tmp_path / "keras.toml").write_text(EXPERIMENT, encoding="utf-8")
    run = tmp_path / "run"
    said = make("all", EXPERIMENT=tmp_path / "keras.toml", RUN=run).stdout
    results = read(run / "report" / "results.json", Results)
    assert [variant.name for variant in results.variants] == ["float", "int8", "weights"]
    assert results.training is None and len(results.evaluations) == 3
    assert "Traceback" not in said and not (run / "train").exists()
    made = {name: read(run / "variants" / name / "variant.json", Variant) for name in ("float", "int8", "weights")}
    assert all("Keras" in variant.promises[0].claim and variant.promises[0].kept for variant in made.values())
    assert made["int8"].inputs[0].dtype == "int8"
    # Calibrated on training images of the size that the float file takes.
    assert {item.role for item in made["int8"].provenance.inputs} == {"file", "calibration"}
    assert read(run / "best" / "choice.json", Choice).model is not None
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert "all in int8, calibrated, integers in and out" in page
    assert "Nothing to do" in make("all", EXPERIMENT=tmp_path / "keras.toml", RUN=run).stdout
    before = made["int8"].model.sha256
    saved(tmp_path / "mine.keras", 2)
    make("optimize", EXPERIMENT=tmp_path / "keras.toml", RUN=run)
    assert read(run / "variants" / "int8" / "variant.json", Variant).model.sha256 != before


def test_a_keras_3_model_is_not_trained_on_in_one_line(tmp_path: Path, make: Make) -> None:
    saved(tmp_path / "mine.keras", 1)
    text = EXPERIMENT.split("[variants.float]", maxsplit=1)[0]
    text += '[model]\narchitecture = "mine.keras"\n[variants.float]\nconvert = { format = "float32" }\n'
    (tmp_path / "keras.toml").write_text(text, encoding="utf-8")
    done = make("all", EXPERIMENT=tmp_path / "keras.toml", RUN=tmp_path / "run", check=False)
    assert done.returncode == 2 and "Traceback" not in done.stdout
    assert "was saved by Keras 3" in done.stdout and "convert it as it is: [variants.NAME] with from" in done.stdout
