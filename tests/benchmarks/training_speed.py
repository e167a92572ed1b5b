"""Training throughput beside plain `model.fit` on in-memory float arrays, in one process, epochs interleaved.

    python -m tests.benchmarks.training_speed runs/demo/dataset

Both train the same network from the same weights with the same batch size, without augmentation.
"""

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from common.batches import Batches
from common.dataset import read_card, read_split
from common.schema.experiment import Train
from common.schema.network import Network
from common.tensorflow_import import load_quietly

EPOCHS = 11
SETTINGS = Train(batch_size=32)


def main(dataset: Path) -> None:
    """Print images/s of both and the median of the per-epoch ratios."""
    load_quietly()
    from common.augment import labelled
    from common.networks import build
    from jobs.train.fit import compile_model, make_deterministic

    card = read_card(dataset)
    images, labels = read_split(dataset, card, "train")
    make_deterministic(1, deterministic=True)
    classes, batches = len(card.classes), Batches(images, labels, SETTINGS.batch_size, 1)
    models = [build(Network(), (card.height, card.width, 3), classes, Path()) for _ in range(2)]
    for model in models:
        compile_model(model, SETTINGS, batches.steps)
    floats, one_hot = np.float32(images) / np.float32(255), np.eye(classes, dtype=np.float32)[labels]

    def ours(epoch: int) -> Any:
        data = labelled(batches, range(epoch, epoch + 1), SETTINGS.augmentation, classes)
        models[0].fit(data, steps_per_epoch=batches.steps, verbose=0)

    def plain(_: int) -> Any:
        models[1].fit(floats, one_hot, batch_size=SETTINGS.batch_size, verbose=0)

    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    for epoch in range(EPOCHS + 1):
        for name, fit in (("ours", ours), ("plain", plain))[:: 1 if epoch % 2 else -1]:
            start = time.perf_counter()
            fit(epoch)
            if epoch:  # the first epoch traces the graph
                seconds[name].append(time.perf_counter() - start)
    ratios = [b / a for a, b in zip(seconds["ours"], seconds["plain"], strict=True)]
    for name, times in seconds.items():
        print(f"{name}: median {len(labels) / median(times):.0f} images/s")
    print(f"throughput ratio ours / plain: median {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
