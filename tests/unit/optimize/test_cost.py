"""What a stage must not pay for: packages that nothing here uses, and steps that are traced twice."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tf_keras

from common.batches import Batches
from common.networks import build
from common.schema.network import Network
from common.schema.recipe import Recipe
from jobs.optimize import passes
from jobs.optimize.fine_tune import FineTuner

IMAGES = np.random.default_rng(1).integers(0, 255, (20, 16, 16, 3), dtype=np.uint8)
OPTIMIZE = """
from common.quiet_import import without
from common.tensorflow_import import load_quietly
load_quietly()
import jobs.optimize.stage
from jobs.optimize import passes
with without(*passes.UNUSED):
    from jobs.optimize.passes import cluster, prune, quantize_aware
unwanted = {'keras', 'pandas', 'scipy', 'sklearn'}
"""
EVALUATE = "import jobs.evaluate.stage; unwanted = {'keras', 'pandas', 'scipy', 'sklearn', 'tensorflow', 'tf_keras'}"


@pytest.mark.parametrize("code", [OPTIMIZE, EVALUATE], ids=["optimize", "evaluate"])
def test_nothing_is_loaded_that_is_not_used(code: str) -> None:
    code += "\nimport sys; sys.exit(repr(unwanted & set(sys.modules)) if unwanted & set(sys.modules) else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_was_hidden_can_be_loaded_afterwards() -> None:
    code = "from common.tensorflow_import import load_quietly; load_quietly(); import pandas, scipy, keras"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_step_of_fine_tuning_is_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    traced = []
    step = tf_keras.Model.train_step

    def counted(model: Any, data: Any) -> Any:
        traced.append(model)
        return step(model, data)

    monkeypatch.setattr(tf_keras.Model, "train_step", counted)
    model = build(Network(architecture="CompactNet"), (16, 16, 3), 2, None)  # type: ignore[arg-type]
    tuner = FineTuner(Batches(IMAGES, np.arange(20, dtype=np.int32) % 2, 8, 3), 2, "categorical_crossentropy", None)
    pass_ = {"pass": "prune", "sparsity": 0.5, "frequency": 1, "epochs": 2}
    settings = Recipe.model_validate({"passes": (pass_,), "convert": {"format": "float32"}}).passes[0]
    passes.apply(model, settings, tuner)
    assert len(traced) == 1
