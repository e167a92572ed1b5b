"""Well-known networks through every kind of pass, on tiny images and for one step: what works, and what is told."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import tf_keras

from common.batches import Batches
from common.schema.recipe import Recipe
from jobs.optimize.batch_norm import reestimate
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.stage import make
from tests.unit.common.tflite.asked_here import unlike

# The large networks take minutes where others share the machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SIDE = 32
IMAGES = np.random.default_rng(3).integers(0, 255, (8, SIDE, SIDE, 3), dtype=np.uint8)
TUNER = FineTuner(Batches(IMAGES, np.arange(8, dtype=np.int32) % 2, 8, 1), 2, "categorical_crossentropy", None)
WORKING: dict[str, dict[str, Any]] = {
    "MobileNet": {"alpha": 0.25},
    "MobileNetV2": {"alpha": 0.35},
    "MobileNetV3Small": {},
    "ResNet50": {},
    "ResNet50V2": {},
    "EfficientNetB0": {},
}
# What may have calibrated ranges after quantize_aware, by the kind of layer: tfmot has no scheme for these. Where the
# converter multiplies one into the next kernel there is no operator of it.
CALIBRATED = {
    "MobileNetV3Small": {"TFOpLambda", "Rescaling"},
    "EfficientNetB0": {"Rescaling", "Normalization"},
}
STEPS: dict[str, dict[str, Any]] = {
    "prune": {"pass": "prune", "epochs": 2, "frequency": 1},
    # k-means over the two million weights of a kernel takes minutes, and so does a graph of 2,048 channels.
    "cluster": {"pass": "cluster", "epochs": 1, "initialization": "LINEAR", "per_channel": False},
    "quantize_aware": {"pass": "quantize_aware", "epochs": 1},
    "int8": {"pass": "fold_batch_norm"},
}


@lru_cache(maxsize=1)
def network(name: str) -> Any:
    """The same for all steps, which get a copy; they come one network after the other."""
    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(1)
    build = getattr(tf_keras.applications, name)
    model = build(weights=None, classes=2, input_shape=(SIDE, SIDE, 3), **WORKING[name])
    # Statistics that fit no data leave activations without a range, and those cannot be quantised.
    return reestimate(model, IMAGES)[0]


def run(model: Any, step: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The actions that are told, and the promises that the file breaks."""
    recipe = Recipe.model_validate({"passes": (step,), "convert": {"format": "int8", "calibration_images": 4}})
    made = make(model, recipe, TUNER)
    # The rules on XNNPACK are held against LiteRT here, where the networks are made.
    assert not unlike(made.content)
    broken = [
        f"{promise.claim} of {promise.subject}" for promise in made.promises if not promise.kept and not promise.waived
    ]
    return [note.action for note in made.reports[0].layers], broken


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", WORKING)
def test_what_works_as_a_whole(name: str, step: str) -> None:
    actions, broken = run(network(name), STEPS[step])
    assert not broken
    assert not any(action.startswith(("left in float", "run as hybrid")) for action in actions)
    calibrated = {action.split()[-1] for action in actions if action.startswith("int8 by calibration")}
    assert calibrated <= (CALIBRATED.get(name, set()) if step == "quantize_aware" else set())
