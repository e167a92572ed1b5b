"""What the stage promises is in the file, and a broken promise stops it."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.tflite.reader import inspect
from jobs.optimize.stage import optimize
from jobs.train.stage import train
from tests.artifacts import EXPERIMENT, write_dataset, write_experiment
from tests.conftest import Chain


def test_pruned_and_clustered_files_hold_what_was_promised(chain: Chain) -> None:
    pruned = inspect(chain.model("pruned").read_bytes())
    clustered = inspect(chain.model("clustered").read_bytes())
    dense = [kernel.tensor for kernel in pruned.kernels if kernel.operator == "FULLY_CONNECTED"]
    assert all(tensor.zeros >= 0.49 for tensor in dense)
    convolutions = [kernel.tensor for kernel in clustered.kernels if kernel.operator == "CONV_2D"]
    assert all(tensor.unique_per_channel <= 4 for tensor in convolutions)
    baseline = inspect(chain.model("baseline").read_bytes())
    assert max(kernel.tensor.unique_per_channel for kernel in baseline.kernels) > 4


def test_sizes_and_layer_notes_are_recorded(chain: Chain) -> None:
    variants = chain.variants
    assert variants["dynamic_range"].model.size_bytes < variants["float16"].model.size_bytes
    assert variants["float16"].model.size_bytes < variants["baseline"].model.size_bytes
    assert variants["clustered"].deflated_bytes < variants["dynamic_range"].deflated_bytes
    for name, word in (("pruned", "pruned"), ("clustered", "clustered")):
        notes = {note.layer: note.action for note in reversed(variants[name].passes[0].layers)}
        assert notes["separable_conv2d"] == f"{word} pointwise_kernel"
        assert notes["dense"] == f"{word} kernel"
        assert notes["flatten"] == "left alone: no weights"
        assert notes["batch_normalization"].startswith("left alone: tfmot")


def test_passes_leave_the_trained_model_alone(chain: Chain) -> None:
    # Clustering ran before pruning and after the baseline; a shared layer would show here.
    again = optimize(
        chain.experiment, "baseline", chain.folder / "dataset", chain.folder / "train", chain.folder / "again"
    )
    assert again.model.sha256 == chain.variants["baseline"].model.sha256


def test_keras_outputs_are_those_of_the_model_before_conversion(chain: Chain) -> None:
    outputs = np.load(chain.folder / "variants" / "baseline" / "keras_outputs.npy")
    assert outputs.shape == (32, 2)
    assert outputs.sum(axis=1) == pytest.approx(np.ones(32), abs=1e-5)
    keras = chain.evaluations["baseline"].keras
    assert keras is not None and keras.max_abs_difference < 1e-4


def trained(folder: Path, chain: Chain, text: str, *parts: Any) -> LoadedExperiment:
    """A network of these layers, taken as it is."""
    import tf_keras
    from tf_keras import layers

    stack = [layers.Input((32, 32, 3)), *parts, layers.Flatten(), layers.Dense(2, activation="softmax")]
    tf_keras.Sequential(stack).save(folder / "own.h5")
    text = text.replace("epochs = 2", "epochs = 0", 1)
    experiment = write_experiment(folder, text.replace("batch_norm_momentum = 0.9", 'architecture = "own.h5"', 1))
    train(experiment, chain.folder / "dataset", folder / "train")
    return experiment


def test_a_file_that_does_not_hold_what_was_promised_stops_the_stage(chain: Chain, tmp_path: Path) -> None:
    from tf_keras import layers

    text = EXPERIMENT[: EXPERIMENT.index("[variants.dynamic_range]")]
    empty = layers.Conv2D(8, 3, strides=4, kernel_initializer="zeros")
    experiment = trained(tmp_path, chain, text, empty)
    with pytest.raises(EdgeproofError, match=r"weights of .* is 1\.000 zeros, expected not all zero"):
        optimize(experiment, "baseline", chain.folder / "dataset", tmp_path / "train", tmp_path / "made")
    assert not (tmp_path / "made" / "variant.json").exists()
    assert not (tmp_path / "made" / "baseline.tflite").exists()


def test_a_recipe_that_is_newer_than_the_training_is_looked_at_first(chain: Chain, tmp_path: Path) -> None:
    newer = write_experiment(tmp_path, EXPERIMENT.replace("frequency = 1,", "begin_step = 1000,"))
    with pytest.raises(UsageError, match="it would begin at step 1000, and the fine-tuning has 4 steps"):
        optimize(newer, "pruned", chain.folder / "dataset", chain.folder / "train", tmp_path / "pruned")
    assert not (tmp_path / "pruned").exists()


STRUCTURES = """
[variants.thin]
passes = [{ pass = "factorize", rank = 4, min_weights = 600, epochs = 30 }]
convert = { format = "int8" }
fine_tune = false

[variants.sparse]
passes = [{ pass = "prune", sparsity = 0.8, schedule = "polynomial", frequency = 1, epochs = 3 }]
convert = { format = "float32" }
fine_tune = false

[variants.grouped]
passes = [{ pass = "prune", sparsity = 0.5, m_by_n = [2, 4], epochs = 3 }]
convert = { format = "float32" }
fine_tune = false

[variants.few]
passes = [{ pass = "cluster", clusters = 4, initialization = "LINEAR", epochs = 3 }]
convert = { format = "float32" }
fine_tune = false

[variants.taught]
passes = [{ pass = "distill", width = 0.25 }]
convert = { format = "dynamic_range" }
fine_tune = false

[variants.aware]
passes = [{ pass = "quantize_aware", epochs = 3 }]
convert = { format = "int8" }
fine_tune = false
"""


def test_a_structure_is_made_without_a_step_of_training(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tf_keras

    experiment = write_experiment(tmp_path, EXPERIMENT + STRUCTURES)
    monkeypatch.delattr(tf_keras.Model, "fit")
    made = {}
    for name in ("thin", "sparse", "grouped", "few", "taught", "aware"):
        made[name] = optimize(experiment, name, chain.folder / "dataset", chain.folder / "train", tmp_path / name)
        assert all(promise.kept or promise.waived for promise in made[name].promises)
        assert not any(promise.claim == "accuracy" for promise in made[name].promises)
    assert max(max(tensor.zeros for tensor in made[name].tensors) for name in ("sparse", "grouped")) > 0.78
    assert made["taught"].passes[0].layers[0].action.endswith("not trained")
    assert any("rank 4 of" in note.action for note in made["thin"].passes[0].layers)
    # As an int8 conversion, whose ranges are calibrated.
    assert {tensor.dtype for tensor in made["aware"].tensors} >= {"int8"}
    assert not any(operator == "DEQUANTIZE" and count > 1 for operator, count in made["aware"].operators.items())
    validation = made["thin"].validation
    assert validation is not None and validation.images == 32 and 0 <= validation.right <= 32


def test_an_unknown_variant_lists_the_known_ones(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown variant 'tiny'.*baseline, dynamic_range"):
        optimize(chain.experiment, "tiny", chain.folder / "dataset", chain.folder / "train", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_model_of_another_dataset_is_refused(chain: Chain, tmp_path: Path) -> None:
    write_dataset(tmp_path / "dataset", chain.experiment, train=48)
    with pytest.raises(UsageError, match="was trained on another dataset"):
        optimize(chain.experiment, "baseline", tmp_path / "dataset", chain.folder / "train", tmp_path / "x")


def test_an_image_in_place_of_the_model_is_noticed(chain: Chain, tmp_path: Path) -> None:
    shutil.copytree(chain.folder / "train", tmp_path / "train")
    (tmp_path / "train" / "model.h5").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UsageError, match=r"model\.h5 was changed"):
        optimize(chain.experiment, "baseline", chain.folder / "dataset", tmp_path / "train", tmp_path / "x")


def test_batch_norm_statistics_are_those_of_the_changed_network(chain: Chain) -> None:
    import tf_keras

    from jobs.optimize.batch_norm import reestimate

    images = np.load(chain.folder / "dataset" / "train_images.npy")
    model = tf_keras.models.load_model(chain.folder / "train" / "model.h5", compile=False)
    for weight in model.trainable_weights:
        weight.assign(weight * 0.5)
    model, _ = reestimate(model, images)
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            before = np.asarray(tf_keras.Model(model.inputs, layer.input)(images.astype(np.float32) / 255))
            axes = tuple(range(before.ndim - 1))
            assert np.asarray(layer.moving_mean) == pytest.approx(before.mean(axes), abs=1e-4)
            assert np.asarray(layer.moving_variance) == pytest.approx(before.var(axes), abs=1e-4)


@pytest.mark.parametrize(("factor", "same"), [(1.0, True), (1 + 2**-23, True), (1.0001, False)])
def test_a_rewrite_may_change_what_the_last_digit_of_a_pixel_changes(factor: float, same: bool) -> None:
    from tf_keras import Sequential, layers

    from jobs.optimize.passed import SAME, keras_outputs, require_same

    pixel = np.float32(200) / np.float32(255)

    def network(first: float) -> Any:
        # The two classes are equal at this very pixel, and far from it a digit away.
        made = Sequential(
            [
                layers.Input((4, 4, 3)),
                layers.Rescaling(first),
                layers.MaxPooling2D(4),
                layers.Flatten(),
                layers.Dense(2, "softmax"),
            ]
        )
        steep = 2e4 * np.array([[1, -1], [0, 0], [0, 0]], np.float32)
        made.set_weights([steep, -pixel * steep[0]])
        return made

    images = np.full((8, 4, 4, 3), 200, np.uint8)
    before, after = network(1.0), network(factor)
    nudge = np.abs(keras_outputs(before, images) - keras_outputs(before, images, nudged=True)).max()
    assert SAME < nudge < 0.01
    if same:
        require_same("a pass", before, after, images)
        return
    with pytest.raises(EdgeproofError, match="changed the network's function"):
        require_same("a pass", before, after, images)


def test_a_rewrite_that_changes_the_function_is_refused(chain: Chain) -> None:
    import tf_keras

    from jobs.optimize.passed import require_same

    images = np.load(chain.folder / "dataset" / "train_images.npy")
    model = tf_keras.models.load_model(chain.folder / "train" / "model.h5", compile=False)
    other = tf_keras.models.clone_model(model)
    with pytest.raises(EdgeproofError, match="pass fold_batch_norm changed the network's function"):
        require_same("fold_batch_norm", model, other, images)
    require_same("fold_batch_norm", model, model, images)
