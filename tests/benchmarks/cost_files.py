"""Untrained networks of many structures in three number formats, for the cost table: what is fast needs no training.

    python -m tests.benchmarks.cost_files <folder>

Writes `<folder>/<structure>.<format>.tflite`, and `<folder>/costs.toml`, an experiment that measures them:

    make benchmark EXPERIMENT=<folder>/costs.toml RUN=<run folder> RUNTIME=local
    python -m tests.benchmarks.cost_table <run folder>
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

from common.batches import Batches
from common.networks import build_student
from common.networks.convert import convert
from common.networks.fire_detection_net import BLOCKS, DENSE_UNITS
from common.schema.network import Network
from common.schema.recipe import Convert, Factorize, Format
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.passes import factorize, fold_batch_norm

L = tf_keras.layers
SHAPE, CLASSES = (128, 128, 3), 2
FORMATS: tuple[Format, ...] = ("float32", "dynamic_range", "int8")
# Blocks of FireDetectionNet whose separable convolution is one convolution.
MERGED = ((), (0,), (1,), (2,), (0, 1), (0, 2), (0, 3), (0, 1, 2), (0, 1, 2, 3))
PLAIN = ((), (0,), (0, 1), (0, 1, 2, 3))
# Ranks of dense layers and of convolutions.
RANKS = ((16, None), (64, None), (None, 4), (None, 16), (16, 8), (32, 12), (8, 24))
# Width and stride of CompactNet.
COMPACT = ((0.5, 2), (1.0, 2), (1.5, 2), (2.0, 2), (3.0, 2), (0.5, 1), (1.0, 1), (2.0, 4))
EXPERIMENT = """title = "The cost table's files"
reference = "{reference}"

[benchmark]
backends = ["xnnpack"]
rounds = 3
most_rounds = 4
min_secs = 0.15
warmup_min_secs = 0.1
"""


class Untrained(FineTuner):
    """Leaves a network as it is."""

    def fit(self, model: Any, settings: Any, callbacks: Sequence[Any] = ()) -> None:
        """Nothing."""


def fire(merged: tuple[int, ...]) -> Any:
    """FireDetectionNet with some blocks' convolutions merged, their BatchNormalization with figures of its own."""
    model = tf_keras.Sequential([L.Input(SHAPE)])
    for number, (filters, side, pool) in enumerate(BLOCKS):
        kind = L.Conv2D if number in merged else L.SeparableConv2D
        model.add(kind(filters, side, padding="same", name=f"convolution{number}"))
        model.add(L.ReLU())
        model.add(L.BatchNormalization(moving_mean_initializer="glorot_normal"))
        if pool:
            model.add(L.MaxPooling2D(2))
    model.add(L.Flatten())
    for units in DENSE_UNITS:
        model.add(L.Dense(units))
        model.add(L.ReLU())
        model.add(L.BatchNormalization())
    model.add(L.Dense(CLASSES, activation="softmax"))
    return model


def thinner(rank: int | None, spatial_rank: int | None, images: Any) -> Any:
    """FireDetectionNet rewritten as in experiments/fire.toml, with thinner kernels."""
    settings = Factorize.model_validate({"pass": "factorize", "rank": rank, "spatial_rank": spatial_rank})
    tuner = Untrained(Batches(images, np.zeros(len(images), np.int64), 1, 0), CLASSES, "", None)
    return factorize.apply(fold_batch_norm.apply(fire((0,))).model, settings, tuner).model


def structures(images: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Names, and what builds the network."""
    for blocks in PLAIN:
        yield f"fire-m{''.join(map(str, blocks))}", lambda blocks=blocks: fire(blocks)
    for blocks in MERGED:
        yield f"folded-m{''.join(map(str, blocks))}", lambda blocks=blocks: fold_batch_norm.apply(fire(blocks)).model
    for rank, spatial in RANKS:
        yield f"thin-{rank or 0}-{spatial or 0}", lambda rank=rank, spatial=spatial: thinner(rank, spatial, images)
    for width, stride in COMPACT:
        network = Network(architecture="CompactNet", width=width, stride=stride)
        yield f"compact-{width}-{stride}", lambda network=network: build_student(network, SHAPE, CLASSES, Path())


def main(folder: Path) -> None:
    """Build all that are not there yet."""
    images = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), np.uint8)
    names = []
    for name, built in structures(images):
        tf_keras.utils.set_random_seed(0)
        model = built()
        for form in FORMATS:
            path = folder / f"{name}.{form}.tflite"
            names.append(path.stem)
            if not path.exists():
                settings = Convert(format=form, integer_io=form == "int8")
                path.write_bytes(convert(model, settings, images))
        print(name, flush=True)
    lines = [EXPERIMENT.format(reference=names[0])]
    lines += [f'[variants."{name}"]\nfile = "{name}.tflite"\n' for name in names]
    (folder / "costs.toml").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    main(Path(sys.argv[1]))
