"""Metrics against hand-made cases and other libraries; predictions against another way of running."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from common.dataset import read_card, read_split
from common.errors import EdgeproofError, UsageError
from common.tflite.predict import predict
from jobs.evaluate import metrics
from jobs.evaluate.stage import evaluate
from tests.artifacts import write_dataset
from tests.conftest import Chain

LABELS = np.array([0, 0, 0, 1, 1, 1], np.int32)


def outputs(*taken: int) -> metrics.Outputs:
    """One-hot outputs that take image i for class `taken[i]`."""
    return np.eye(2, dtype=np.float32)[list(taken)]


def test_scores_of_a_case_done_by_hand() -> None:
    made = outputs(0, 0, 1, 1, 1, 1)
    matrix = metrics.confusion(made, LABELS)
    assert matrix == ((2, 1), (0, 3))
    first, second = metrics.class_scores(matrix, ("a", "b"))
    assert first.precision == 1.0
    assert first.recall == pytest.approx(2 / 3)
    assert (second.precision, second.recall) == (0.75, 1.0)
    assert second.f1 == pytest.approx(6 / 7)
    assert metrics.accuracy(made, LABELS).successes == 5
    assert metrics.roc_auc(made, LABELS) == pytest.approx(5 / 6)


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    scores = metrics.class_scores(metrics.confusion(outputs(0, 0, 0, 0, 0, 0), LABELS), ("a", "b"))
    assert scores[1].precision is None
    assert scores[1].recall == 0.0


def test_roc_auc_needs_every_class() -> None:
    assert metrics.roc_auc(outputs(0, 1), np.array([0, 0], np.int32)) is None


def test_three_classes() -> None:
    labels = np.array([0, 1, 2, 2], np.int32)
    made = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
    assert metrics.roc_auc(made, labels) == pytest.approx((1 + 5 / 6 + 0.75) / 3)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_exact_two_sided_binomial(only_variant: int, only_reference: int) -> None:
    labels = np.zeros(only_variant + only_reference + 3, np.int32)
    variant, reference = np.ones(len(labels), int), np.ones(len(labels), int)
    variant[:only_variant] = 0
    reference[only_variant : only_variant + only_reference] = 0
    found = metrics.mcnemar(outputs(*variant), outputs(*reference), labels, "baseline")
    assert (found.only_variant_right, found.only_reference_right) == (only_variant, only_reference)
    n, smaller = only_variant + only_reference, min(only_variant, only_reference)
    by_hand = min(1.0, 2 * float(binom.cdf(smaller, n, 0.5))) if n else 1.0
    assert found.p_value == pytest.approx(by_hand)


def test_predictions_do_not_depend_on_batches_or_workers(chain: Chain) -> None:
    images, _ = read_split(chain.folder / "dataset", read_card(chain.folder / "dataset"), "test")
    model = chain.model("baseline")
    together = predict(model, images, workers=2)
    assert together == pytest.approx(predict(model, images, workers=5), abs=1e-6)
    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images[:1].astype(np.float32) / 255)
    interpreter.invoke()
    alone = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert together[:1] == pytest.approx(alone, abs=1e-6)


def test_a_search_chooses_on_validation_images_and_judges_on_test_images(chain: Chain, tmp_path: Path) -> None:
    dataset = chain.folder / "dataset"
    card = read_card(dataset)
    assert card.reported == "test"
    for part, split in (("choose", "validation"), ("judge", "test"), (None, "test")):
        asked = chain.experiment.settings.evaluate.model_copy(update={"part": part})
        settings = chain.experiment.settings.model_copy(update={"evaluate": asked})
        experiment = replace(chain.experiment, settings=settings)
        found = evaluate(experiment, chain.folder / "variants" / "baseline", dataset, None, tmp_path / str(part))
        assert (found.split, found.count) == (split, len(read_split(dataset, card, found.split)[1]))


def test_a_worker_may_get_a_single_image(chain: Chain) -> None:
    images, _ = read_split(chain.folder / "dataset", read_card(chain.folder / "dataset"), "test")
    together = predict(chain.model("baseline"), images[:4], workers=1)
    # The first worker gets one image, which has the model's own shape, the other two.
    assert predict(chain.model("baseline"), images[:3], workers=2) == pytest.approx(together[:3], abs=1e-6)
    assert predict(chain.model("baseline"), images[:1], workers=2) == pytest.approx(together[:1], abs=1e-6)


def test_an_integer_model_gets_integers_and_its_answers_are_scaled_back(chain: Chain) -> None:
    assert chain.variants["int8"].inputs[0].dtype == "int8"
    found = np.load(chain.folder / "evaluation" / "int8" / "outputs.npy")
    assert found.dtype == np.float32
    assert np.abs(found - np.load(chain.folder / "evaluation" / "baseline" / "outputs.npy")).max() < 0.15


def test_the_variants_agree_with_their_keras_models(chain: Chain) -> None:
    for name, evaluation in chain.evaluations.items():
        assert evaluation.keras is not None and evaluation.keras.top1.value >= 0.9, name
        assert (evaluation.mcnemar is None) == (name == "baseline")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(100), b"\x1c\0\0\0TFL3" + bytes(400)])
def test_a_file_that_is_no_model_is_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.tflite"
    path.write_bytes(content)
    with pytest.raises(EdgeproofError, match=r"photo\.tflite cannot be run"):
        predict(path, np.zeros((2, 32, 32, 3), np.uint8))


def test_what_is_reported_is_of_the_test_images(chain: Chain, tmp_path: Path) -> None:
    images, labels = read_split(chain.folder / "dataset", read_card(chain.folder / "dataset"), "test")
    found = chain.evaluations["baseline"]
    right = predict(chain.model("baseline"), images).argmax(axis=1) == labels
    assert (found.split, found.accuracy.successes) == ("test", int(right.sum()))
    keras = np.load(chain.folder / "variants" / "baseline" / "keras_outputs.npy")
    assert keras == pytest.approx(predict(chain.model("baseline"), images), abs=1e-5)


def test_inputs_that_do_not_belong_together_are_refused(chain: Chain, tmp_path: Path) -> None:
    write_dataset(tmp_path / "other", chain.experiment, train=48)
    with pytest.raises(UsageError, match="was made from dataset"):
        evaluate(chain.experiment, chain.folder / "variants" / "baseline", tmp_path / "other", None, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_changed_model_is_refused(chain: Chain, tmp_path: Path) -> None:
    shutil.copytree(chain.folder / "variants" / "float16", tmp_path / "float16")
    with (tmp_path / "float16" / "float16.tflite").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(UsageError, match=r"float16\.tflite was changed"):
        evaluate(chain.experiment, tmp_path / "float16", chain.folder / "dataset", None, tmp_path / "x")
