"""Distillation: the loss, what the student learns from, and where it may stand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tf_keras
from pydantic import ValidationError

from common.batches import Batches
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.schema.recipe import Distill, Recipe
from common.tflite.reader import inspect
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.passes import distill
from jobs.optimize.stage import optimize
from tests.artifacts import EXPERIMENT, write_experiment
from tests.conftest import Chain

CONVERT = {"format": "float32"}
TAUGHT = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
GIVEN = np.array([[0.7, 0.3], [0.5, 0.5]], np.float32)
LABELS = np.eye(2, dtype=np.float32)


def settings(**values: object) -> Distill:
    return Distill.model_validate({"pass": "distill", "epochs": 1, "batch_size": 16, **values})


def tuner(**values: object) -> FineTuner:
    random = np.random.default_rng(5)
    images = random.integers(0, 255, (32, 16, 16, 3), dtype=np.uint8)
    batches = Batches(images, np.arange(32, dtype=np.int32) % 2, 8, 3)
    return replace(FineTuner(batches, 2, "categorical_crossentropy", None), **values)  # type: ignore[arg-type]


def softened(values: np.ndarray, temperature: float) -> np.ndarray:
    powers = values ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_loss_is_that_of_the_paper(temperature: float) -> None:
    wanted, got = softened(TAUGHT, temperature), softened(GIVEN, temperature)
    divergence = (wanted * np.log(wanted / got)).sum(axis=1) * temperature**2
    labels = -np.log(GIVEN[[0, 1], [0, 1]])
    for alpha in (0.0, 0.3, 1.0):
        loss = distill.distillation_loss(settings(temperature=temperature, alpha=alpha), tuner())
        expected = (alpha * divergence + (1 - alpha) * labels).mean()
        assert float(loss(LABELS, TAUGHT, GIVEN)) == pytest.approx(expected, rel=1e-5)


def test_class_weights_count_and_certainty_is_finite() -> None:
    plain = distill.distillation_loss(settings(alpha=0.5), tuner())
    weighted = distill.distillation_loss(settings(alpha=0.5), tuner(class_weights={0: 3.0, 1: 0.0}))
    first = float(plain(LABELS[:1], TAUGHT[:1], GIVEN[:1]))
    assert float(weighted(LABELS, TAUGHT, GIVEN)) == pytest.approx(3 * first / 2, rel=1e-5)
    assert np.isfinite(float(plain(LABELS, LABELS, LABELS[::-1])))


def test_the_student_follows_its_teacher_where_labels_do_not_count() -> None:
    tf_keras.utils.set_random_seed(1)
    layers = tf_keras.layers
    teacher = tf_keras.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.Flatten(),
            layers.Dense(64),
            layers.Dense(
                2, activation="softmax", kernel_initializer="zeros", bias_initializer=lambda *_, **__: [2.0, 0.0]
            ),
        ]
    )
    before = teacher.get_weights()
    done = distill.apply(
        teacher,
        settings(student={"architecture": "CompactNet", "width": 0.5}, alpha=1.0, epochs=60, learning_rate=0.01),
        tuner(),
    )
    student, notes = done.model, done.notes
    images = tuner().batches.images.astype(np.float32) / 255
    followed = np.asarray(student(images, training=True)).mean(axis=0)
    assert followed == pytest.approx(np.asarray(teacher(images[:1]))[0], abs=0.06)
    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights(), strict=True))
    assert f"{student.count_params():,} parameters in place of {teacher.count_params():,}" in notes[0].action


def test_a_student_that_is_no_smaller_is_refused() -> None:
    teacher = tf_keras.Sequential(
        [tf_keras.layers.Input((16, 16, 3)), tf_keras.layers.Flatten(), tf_keras.layers.Dense(2, activation="softmax")]
    )
    with pytest.raises(EdgeproofError, match=r"the student CompactNet has 12,754 parameters, its teacher only 1,538"):
        distill.apply(teacher, settings(), tuner())


@pytest.mark.parametrize(
    ("passes", "told"),
    [
        ([{"pass": "prune"}, {"pass": "distill"}], "its new network has nothing of what prune did"),
        ([{"pass": "distill"}, {"pass": "distill"}], "distill must be the first pass"),
        ([{"pass": "distill", "student": {}, "width": 0.5}], "width and stride stand beside no student"),
        ([{"pass": "distill", "student": {"architecture": "CompactNett"}}], "did you mean CompactNet?"),
    ],
)  # fmt: skip
def test_a_recipe_that_makes_no_sense_is_refused(passes: list[dict[str, object]], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate_json(json.dumps({"passes": passes, "convert": CONVERT}))
    assert told in str(caught.value)


def distilled(chain: Chain, folder: Path) -> LoadedExperiment:
    tuned = "epochs = 2, width = 0.5, stride = 1"
    recipe = f'[variants.student]\npasses = [{{ pass = "distill", {tuned} }}, {{ pass = "fold_batch_norm" }}]\n'
    return write_experiment(folder, EXPERIMENT + recipe + 'convert = { format = "int8", calibration_images = 20 }\n')


def test_passes_and_conversion_go_on_with_the_student(chain: Chain, tmp_path: Path) -> None:
    experiment = distilled(chain, tmp_path)
    inputs = chain.folder / "dataset", chain.folder / "train"
    first = optimize(experiment, "student", *inputs, tmp_path / "first")
    optimize(experiment, "student", *inputs, tmp_path / "again")
    outputs = [np.load(tmp_path / name / "keras_outputs.npy") for name in ("first", "again")]
    assert np.array_equal(*outputs)
    assert [report.name for report in first.passes] == ["distill", "fold_batch_norm"]
    notes = first.passes[0].layers
    assert notes[0].layer == "compact_net"
    assert {note.action for note in notes[1:]} == {"statistics of 64 images"}
    assert first.model.size_bytes < chain.variants["int8"].model.size_bytes / 4
    kernels = inspect((tmp_path / "first" / "student.tflite").read_bytes()).kernels
    assert {kernel.tensor.dtype for kernel in kernels} == {"int8"}


def test_a_student_may_be_the_users_own_file(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEPROOF_TRUST", "1")
    code = (
        "from tf_keras import Sequential, layers\n"
        "def build(input_shape, classes):\n"
        "    return Sequential([layers.Input(input_shape), layers.GlobalMaxPooling2D(),\n"
        "                       layers.Dense(classes, activation='softmax')], name='mine')\n"
    )
    (tmp_path / "net.py").write_text(code, encoding="utf-8")
    recipe = '[variants.own]\npasses = [{ pass = "distill", epochs = 1, student = { architecture = "net.py" } }]\n'
    experiment = write_experiment(tmp_path, EXPERIMENT + recipe + 'convert = { format = "float32" }\n')
    made = optimize(experiment, "own", chain.folder / "dataset", chain.folder / "train", tmp_path / "own")
    assert made.passes[0].layers[0].layer == "mine"
    assert "student" in {item.role for item in made.provenance.inputs}
