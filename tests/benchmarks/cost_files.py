"""Untrained networks of many structures in three number formats, for the cost table: what is fast needs no training.

    python -m tests.benchmarks.cost_files <folder>

Writes `<folder>/<structure>.<format>.tflite`, and `<folder>/costs.toml`, an experiment that measures them:

    make benchmark EXPERIMENT=<folder>/costs.toml RUN=<run folder> RUNTIME=local
    python -m tests.benchmarks.cost_table <run folder>
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

from common.batches import Batches
from common.networks import build_student
from common.networks.convert import convert
from common.schema.convert import Convert, Format
from common.schema.network import Network
from common.schema.recipe import Factorize, FoldBatchNorm, MergeSeparable, Pass
from jobs.optimize import passes
from jobs.optimize.fine_tune import FineTuner

SHAPE, CLASSES = (128, 128, 3), 2
FORMATS: tuple[Format, ...] = ("float32", "dynamic_range", "int8")
LAYERS = ("separable_conv2d", *(f"separable_conv2d_{number}" for number in (1, 2, 3)))
# Layers whose halves are merged, of networks whose BatchNormalization stays and of those where it is folded.
PLAIN: tuple[tuple[int, ...], ...] = ((), (0,), (0, 1), (0, 1, 2, 3))
FOLDED: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2,), (0, 1), (0, 2), (0, 3), (0, 1, 2), (0, 1, 2, 3))
# Ranks of dense layers and of convolutions, after the rewrites of experiments/fire.toml.
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


def structures() -> Iterator[tuple[str, Network, tuple[Pass, ...]]]:
    """Names, networks, and the passes that they go through."""
    fire = Network(architecture="FireDetectionNet")
    fold = FoldBatchNorm.model_validate({"pass": "fold_batch_norm"})
    for blocks in PLAIN:
        yield f"fire-{_digits(blocks)}", fire, _merged(blocks)
    for blocks in FOLDED:
        yield f"folded-{_digits(blocks)}", fire, (*_merged(blocks), fold)
    for rank, spatial in RANKS:
        thin = Factorize.model_validate({"pass": "factorize", "rank": rank, "spatial_rank": spatial})
        yield f"thin-{rank or 0}-{spatial or 0}", fire, (*_merged((0,)), fold, thin)
    for width, stride in COMPACT:
        yield f"compact-{width}-{stride}", Network(architecture="CompactNet", width=width, stride=stride), ()


def _digits(blocks: tuple[int, ...]) -> str:
    return "".join(map(str, blocks)) or "none"


def _merged(blocks: tuple[int, ...]) -> tuple[Pass, ...]:
    layers = tuple(LAYERS[block] for block in blocks)
    given = {"pass": "merge_separable", "max_input_channels": 64, "layers": layers}
    return (MergeSeparable.model_validate(given),) if layers else ()


def untrained(network: Network) -> Any:
    """The network with random weights, and means that a BatchNormalization must take away."""
    tf_keras.utils.set_random_seed(0)
    model = build_student(network, SHAPE, CLASSES, Path())
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, beta, np.random.default_rng(0).normal(0, 0.1, mean.shape), variance])
    return model


def main(folder: Path) -> None:
    """Build all that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), np.uint8)
    tuner = FineTuner(Batches(images, np.zeros(8, np.int64), 8, 0), CLASSES, "", None, trains=False)
    names = []
    for structure, network, steps in structures():
        model = untrained(network)
        for settings in steps:
            model = passes.apply(model, settings, tuner).model
        for form in FORMATS:
            path = folder / f"{structure}.{form}.tflite"
            names.append(path.stem)
            if not path.exists():
                path.write_bytes(convert(model, Convert(format=form, integer_io=form == "int8"), images))
        print(structure, flush=True)
    lines = [EXPERIMENT.format(reference=names[0])]
    lines += [f'[variants."{name}"]\nfile = "{name}.tflite"\n' for name in names]
    (folder / "costs.toml").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
