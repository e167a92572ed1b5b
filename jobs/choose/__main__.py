"""Choose the variant to ship.

    python -m jobs.choose --experiment experiments/demo.toml --dataset runs/demo/dataset \
        --training runs/demo/train --variants runs/demo/variants --evaluations runs/demo/evaluation \
        --benchmark runs/demo/benchmark/host --output runs/demo/best

Reads   <dataset>/dataset.json, <training>/training.json, <variants>/<name>/variant.json and the best one's
        .tflite, <evaluations>/<name>/evaluation.json, <benchmark>/benchmark.json
Writes  <output>/<name>.tflite     with metadata and labels inside
        <output>/model_card.md
        <output>/choice.json       last: every verdict, the front, the recommendation
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.printable import tell


def main(
    *,
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
    dataset: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")] = None,
    samples: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the inputs stage wrote.")] = None,
    training: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the train stage wrote.")] = None,
    variants: Annotated[Path, cli.READ, typer.Option(help="Folder that holds a folder per variant.")],
    evaluations: Annotated[Path, cli.READ, typer.Option(help="Folder that holds an evaluation per variant.")],
    benchmark: Annotated[
        list[Path], cli.READ, typer.Option(help="A target's benchmark; may be repeated, the first decides.")
    ],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
) -> None:
    """Judge every variant, find the front, and write the best one with its model card."""
    from common.experiment import load
    from common.run.read import Folders
    from jobs.choose.stage import choose

    folders = Folders(dataset, training, variants, evaluations, tuple(benchmark), samples)
    chosen = choose(load(experiment), folders, output)
    tell(chosen.recommendation[0])
    if chosen.model is not None:
        print(output / chosen.model.path)


if __name__ == "__main__":
    cli.run(main)
