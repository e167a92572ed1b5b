"""What the passes of a recipe make of a network, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from common.errors import EdgeproofError
from common.schema.fine_tuning import FineTuning, Retraining
from common.schema.recipe import Pass
from common.schema.variant import PassReport
from jobs.optimize import passes
from jobs.optimize.batch_norm import copied, reestimate
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.pass_result import Aware, Expectation

PREDICT_BATCH = 64
# A rewrite may change outputs by rounding only: probabilities, in float32, on so many training images.
SAME, SAMPLE = 1e-4, 64
# So many times what a network makes of the last digit of its inputs.
ROUNDINGS = 10


@dataclass(frozen=True)
class Passed:
    """`model` after all passes, and `before` its last one; `aware` are its layers after quantisation-aware training."""

    model: Any
    before: Any
    reports: tuple[PassReport, ...]
    expected: tuple[Expectation, ...]
    aware: tuple[Aware, ...]


def run_passes(model: Any, wanted: Sequence[Pass], tuner: FineTuner) -> Passed:
    """Run passes, one after the other. Raises EdgeproofError where one does not take the network, or is a rewrite that
    changes its function."""
    passed = Passed(model, model, (), (), ())
    for settings in wanted:
        before = passed.model
        # tfmot wraps the very layers that it is given; weights are shared unless copied.
        done = passes.apply(copied(before), settings, tuner)
        changed, notes = done.model, done.notes
        if not isinstance(settings, FineTuning):
            require_same(settings.name, before, changed, tuner.batches.images[:SAMPLE])
        elif isinstance(settings, Retraining) and settings.reestimate_batch_norm and tuner.trains:
            changed, measured = reestimate(changed, tuner.batches.images)
            notes = (*notes, *measured)
        reports = (*passed.reports, PassReport(name=settings.name, layers=notes))
        passed = Passed(changed, before, reports, (*passed.expected, *done.expected), done.aware)
    return passed


def require_same(name: str, before: Any, after: Any, images: npt.NDArray[np.uint8]) -> None:
    """Raise EdgeproofError where two models give other outputs for images uint8 [n, h, w, 3], beyond rounding."""
    outputs = keras_outputs(before, images)
    difference = float(np.abs(outputs - keras_outputs(after, images)).max())
    if difference <= SAME:
        return
    # Some networks turn the last digit of a pixel into more than that, and a rewrite rounds in every layer.
    allowed = max(SAME, ROUNDINGS * float(np.abs(outputs - keras_outputs(before, images, nudged=True)).max()))
    if not difference <= allowed:
        message = (
            f"pass {name} changed the network's function: outputs differ by {difference:.2g}, allowed {allowed:.2g}"
        )
        raise EdgeproofError(message, hint="leave the pass out of this recipe and report the network")


def keras_outputs(model: Any, images: npt.NDArray[np.uint8], *, nudged: bool = False) -> npt.NDArray[np.float32]:
    """Outputs float32 [n, classes] of a Keras model for images uint8 [n, h, w, 3]; with `nudged` for the next larger
    numbers in place of every pixel's."""
    # Traced once for batches of any size; Keras' own prediction is traced for each.
    signature = [tf.TensorSpec((None, *images.shape[1:]), tf.float32)]
    answer = tf.function(lambda batch: model(batch, training=False), input_signature=signature, autograph=False)
    parts = [
        np.asarray(answer(_scaled(images[start : start + PREDICT_BATCH], nudged=nudged)))
        for start in range(0, len(images), PREDICT_BATCH)
    ]
    return np.concatenate(parts).astype(np.float32)


def _scaled(images: npt.NDArray[np.uint8], *, nudged: bool) -> npt.NDArray[np.float32]:
    scaled = images.astype(np.float32) / np.float32(255)
    return np.nextafter(scaled, np.float32(2)) if nudged else scaled
