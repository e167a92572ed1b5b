"""Draws of the search beside draws at random, over the same space with the same number of structures: five seeds.

    python -m tests.benchmarks.search_random <run> [--draws 24] [--seeds 5]

<run> is that of an experiment that `make search` went through. Every structure is built without training; its size and
its loss on the validation images are its own, its latency is what the search's cost table says, so that both see the
same. Prints for each seed the hypervolume of the front of latency, size and loss (each a share of the reference's, or
of the images; the corner is 1, 1, 0.5), and the median of the ratios.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from common.artifact import read
from common.experiment import load
from common.schema.costs import CostTable
from common.schema.recipe import Factorize, Recipe
from common.schema.search_result import SearchResult
from jobs.search import space
from jobs.search.costs import predict
from jobs.search.draws import Drawing
from jobs.search.space import Base

Point = tuple[float, float, float]
CORNER: Point = (1.0, 1.0, 0.5)
BATCH = 8


def hypervolume(points: Sequence[Point], corner: Point = CORNER) -> float:
    """The volume between the corner and the points that lie before it, in three respects that are wanted small."""
    inside = sorted(
        {point for point in points if all(a < b for a, b in zip(point, corner, strict=True))}, key=lambda p: p[2]
    )
    volume = 0.0
    for number, point in enumerate(inside):
        above = inside[number + 1][2] if number + 1 < len(inside) else corner[2]
        volume += _area([(x, y) for x, y, _ in inside[: number + 1]], corner) * (above - point[2])
    return volume


def _area(points: Sequence[tuple[float, float]], corner: Point) -> float:
    area, top = 0.0, corner[1]
    for x, y in sorted(points):
        if y < top:
            area += (corner[0] - x) * (top - y)
            top = y
    return area


@dataclass
class Bench:
    """What structures are built from, and what they are held against."""

    model: Any
    tuner: Any
    images: Any
    labels: Any
    before: Any
    table: CostTable
    reference: tuple[float, int]

    def value(self, recipe: Recipe) -> Point:
        """Latency and size as shares of the reference's, and the loss on the validation images."""
        from common.tflite.predict import predict as answers
        from jobs.optimize.collapse import validated
        from jobs.optimize.stage import make

        content = make(self.model, recipe.model_copy(update={"fine_tune": False}), self.tuner).content
        found = validated(self.labels, self.before, answers(content, self.images))
        us = predict(self.table, content).us or self.reference[0]
        return us / self.reference[0], len(content) / self.reference[1], (found.lost - found.won) / found.images


@dataclass(frozen=True)
class Draws:
    """How many structures are drawn from a seed, the first `blind` of them at random."""

    seed: int
    count: int
    blind: int


def bench(run: Path) -> Bench:
    """The trained network and the cost table of a run that was searched."""
    from common.artifact import verified
    from common.dataset import CARD, read_split
    from common.schema.dataset import Dataset
    from common.schema.training import Training
    from jobs.optimize import stage
    from jobs.optimize.passed import keras_outputs

    experiment = load(run / "search" / "found.toml")
    card = read(run / "dataset" / CARD, Dataset)
    trained = read(run / "train" / "training.json", Training)
    model = stage._load(verified(run / "train", trained.model), experiment)
    images, labels = read_split(run / "dataset", card, "validation")
    table = read(run / "search" / "costs.json", CostTable)
    name = experiment.settings.reference
    content = (run / "search" / "rewrites" / "variants" / name / f"{name}.tflite").read_bytes()
    us = predict(table, content).us or 1.0
    before = keras_outputs(model, images)
    tuner = stage._tuner(experiment, run / "dataset", card)
    return Bench(model, tuner, images, labels, before, table, (us, len(content)))


def main() -> int:
    """Exit status 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from common.tensorflow_import import load_quietly

    load_quietly()
    result = read(given.run / "search" / "search.json", SearchResult)
    there, ratios = bench(given.run), []
    for seed in range(given.seeds):
        volumes = []
        for blind in (given.draws, BATCH):
            with tempfile.TemporaryDirectory() as folder:
                volumes.append(hypervolume(drawn(there, result, Path(folder), Draws(seed, given.draws, blind))))
        ratios.append(volumes[1] / volumes[0])
        print(f"seed {seed}: at random {volumes[0]:.4f}, drawn {volumes[1]:.4f}, {ratios[-1]:.3f} times", flush=True)
    print(f"median {median(ratios):.3f} times")
    return 0


def drawn(there: Bench, result: SearchResult, folder: Path, given: Draws) -> list[Point]:
    """What so many draws come to."""
    known = [one.candidate.recipe for one in result.outcomes if one.candidate.kind == "drawn"]
    bases = {recipe.convert.format: Base(space.passes(recipe)[:-1], recipe.convert.layers) for recipe in known}
    layers = next(tuple(last.ranks) for recipe in known if isinstance(last := space.passes(recipe)[-1], Factorize))
    drawing = Drawing(folder, layers, tuple(bases), given.seed, space="bench", blind=given.blind)
    points = []
    for first in range(0, given.count, BATCH):
        for draw in drawing.draw(first, min(BATCH, given.count - first)):
            one = space.drawn(draw.number, result.settings, bases[draw.form], draw.ranks, draw.form)
            value = there.value(one.recipe) if one is not None and isinstance(one.recipe, Recipe) else None
            drawing.tell(draw.number, value)
            points += [] if value is None else [value]
    return points


if __name__ == "__main__":
    sys.exit(main())
