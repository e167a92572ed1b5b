"""Augmentation, the choice of the best epoch, and what may be resumed."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from common.artifact import sha256_file
from common.augment import augment
from common.dataset import read_card
from common.errors import UsageError
from common.schema.augmentation import Augmentation
from common.schema.training import Epoch
from jobs.train.fit import _generators, _require_own, best_of, make_deterministic
from jobs.train.stage import train, training_key
from tests.artifacts import EXPERIMENT, write_experiment
from tests.conftest import Chain

OWN = EXPERIMENT.replace("batch_norm_momentum = 0.9", 'architecture = "own.h5"', 1)
ALL = Augmentation(flip=True, crop=0.3, colour=0.3)


def pictures() -> np.ndarray:
    return np.random.default_rng(1).random((8, 16, 16, 3), dtype=np.float32)


@pytest.mark.parametrize("settings", [ALL, Augmentation(flip=True), Augmentation(crop=0.5), Augmentation(colour=0.9)])
def test_augmented_pictures_are_pictures_and_depend_on_the_seed_alone(settings: Augmentation) -> None:
    images = pictures()
    first, again, other = (np.asarray(augment(images, settings, seed)) for seed in ([1, 2], [1, 2], [1, 3]))
    assert first.shape == images.shape
    assert first.min() >= 0
    assert first.max() <= 1 + 1e-6
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_augmentation_changes_nothing() -> None:
    assert np.array_equal(augment(pictures(), Augmentation(), [1, 2]), pictures())


def test_a_flip_is_a_mirror_image() -> None:
    images = pictures()
    flipped = np.asarray(augment(images, Augmentation(flip=True), [4, 4]))
    same = [np.allclose(a, b, atol=1e-5) for a, b in zip(flipped, images, strict=True)]
    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-5) for a, b in zip(flipped, images, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


def epoch(number: int, accuracy: float, loss: float) -> Epoch:
    return Epoch(
        epoch=number, loss=1.0, accuracy=0.5, val_loss=loss, val_accuracy=accuracy, learning_rate=1e-3, seconds=1.0
    )


def test_the_best_epoch_has_the_highest_accuracy_then_the_lowest_loss_then_is_the_first() -> None:
    epochs = (epoch(1, 0.8, 0.1), epoch(2, 0.9, 0.5), epoch(3, 0.9, 0.4), epoch(4, 0.9, 0.4))
    assert best_of(epochs).epoch == 3


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("rounds = 2", "rounds = 9", True),
        ("sparsity = 0.5", "sparsity = 0.6", True),
        ("epochs = 2", "epochs = 3", False),
        ("seed = 7", "seed = 8", False),
        ("batch_norm_momentum = 0.9", "batch_norm_momentum = 0.8", False),
    ],
)
def test_only_the_same_training_is_resumed(chain: Chain, tmp_path: Path, old: str, new: str, same: bool) -> None:
    card = read_card(chain.folder / "dataset")
    other = write_experiment(tmp_path, EXPERIMENT.replace(old, new, 1))
    assert (training_key(other, card) == training_key(chain.experiment, card)) == same


def test_a_changed_model_file_is_another_training(chain: Chain, tmp_path: Path) -> None:
    card = read_card(chain.folder / "dataset")
    experiment = write_experiment(tmp_path, OWN)
    keys = []
    for content in (b"1", b"2"):
        (tmp_path / "own.h5").write_bytes(content)
        keys.append(training_key(experiment, card))
    assert keys[0] != keys[1]


def test_a_saved_model_may_be_used_as_it_is(chain: Chain, tmp_path: Path) -> None:
    shutil.copy(chain.folder / "train" / "model.h5", tmp_path / "own.h5")
    experiment = write_experiment(tmp_path, OWN.replace("epochs = 2", "epochs = 0", 1))
    training = train(experiment, chain.folder / "dataset", tmp_path / "train")
    before, after = (
        tf_keras.models.load_model(folder / "train" / "model.h5", compile=False).get_weights()
        for folder in (chain.folder, tmp_path)
    )
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert [epoch.epoch for epoch in training.epochs] == [training.best_epoch] == [0]
    best = chain.training.epochs[chain.training.best_epoch - 1]
    assert training.epochs[0].val_accuracy == pytest.approx(best.val_accuracy)
    assert training.images_per_s is None
    assert training.architecture == "own.h5"
    roles = {item.role: item.sha256 for item in training.provenance.inputs}
    assert roles["model"] == sha256_file(tmp_path / "own.h5")


def test_the_training_artifact_tells_the_whole_course(chain: Chain) -> None:
    training = chain.training
    assert [e.epoch for e in training.epochs] == [1, 2]
    assert training.parameters > 100_000
    assert training.classes == ("lower", "upper")
    assert "1.00 times" in training.imbalance
    assert (chain.folder / "train" / "curves.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_list_of_checkpoints_elsewhere_deletes_none(tmp_path: Path) -> None:
    victims = [tmp_path / f"theirs-{number}.index" for number in range(3)]
    for victim in victims:
        victim.write_bytes(b"precious")
    folder = tmp_path / "train"
    (folder / "checkpoints").mkdir(parents=True)
    named = "".join(f'all_model_checkpoint_paths: "{victim.with_suffix("")}"\n' for victim in victims)
    text = f'model_checkpoint_path: "{victims[0].with_suffix("")}"\n{named}'
    (folder / "checkpoints" / "checkpoint").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="is not of this training"):
        _require_own(folder / "checkpoints")
    (folder / "checkpoints" / "checkpoint").write_text('model_checkpoint_path: "ckpt-1"\n', encoding="utf-8")
    _require_own(folder / "checkpoints")


@pytest.mark.parametrize("part", [tf_keras.layers.Attention(), tf_keras.layers.MultiHeadAttention(1, 2, dropout=0.5)])
def test_what_draws_only_once_it_trains_is_kept_in_checkpoints(part: Any) -> None:
    make_deterministic(1, deterministic=False)
    start = tf_keras.Input((4, 2))
    # A copy, which draws as the settings above say.
    made = type(part).from_config(part.get_config())
    given = [[start, start]] if isinstance(made, tf_keras.layers.Attention) else [start, start]
    found = _generators(tf_keras.Model(start, made(*given)))
    assert [type(each).__name__ for each in found] == ["Generator"]
