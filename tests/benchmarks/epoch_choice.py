"""How much an accuracy is flattered when it is of the images that chose the epoch.

    .venv/bin/python -m tests.benchmarks.epoch_choice

Epochs on the plateau of a training are equally good and disagree about a few images. `ACCURACY` and
`DISCORDANT` are those of two trainings of FireDetectionNet: each epoch gets an image right with the same
probability, and any two of them disagree on that share of the images.
"""

import numpy as np

RUNS = 4000
ACCURACY, DISCORDANT = 0.91, 0.036


def flattery(images: int, epochs: int, random: np.random.Generator) -> float:
    """Mean of the best epoch's accuracy above the true one, in points."""
    # Most images are right or wrong in every epoch; the others are right in half of them.
    unsure = 2 * DISCORDANT
    sure = ACCURACY - unsure / 2
    best = np.empty(RUNS)
    for run in range(RUNS):
        kinds = random.random(images)
        always, open_ = int((kinds < sure).sum()), int(((kinds >= sure) & (kinds < sure + unsure)).sum())
        best[run] = always + random.binomial(open_, 0.5, epochs).max()
    return float(100 * (best.mean() / images - ACCURACY))


if __name__ == "__main__":
    for images in (300, 462):
        for epochs in (10, 30):
            value = flattery(images, epochs, np.random.default_rng(42))
            print(f"{images} images, {epochs} equal epochs: {value:.2f} points")
