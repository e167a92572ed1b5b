"""Train the experiment's network.

    python -m jobs.train --experiment experiments/demo.toml --dataset runs/demo/dataset --output runs/demo/train

Reads   <dataset>/dataset.json and its arrays, the model file that the experiment names, if any
Writes  <output>/checkpoints/ progress.json best.npz   to go on from after an interruption
        <output>/model.h5 curves.svg                   the best validation epoch; the learning curves
        <output>/training.json                         last: history, figures, provenance
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    experiment: Annotated[Path, cli.READ, cli.MODELS, typer.Option(help="Experiment file (TOML).")],
    dataset: Annotated[Path, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
) -> None:
    """Train the experiment's network on a dataset; goes on after the last finished epoch."""
    from common.experiment import load
    from common.tensorflow_import import load_quietly

    loaded = load(experiment)
    load_quietly()
    from jobs.train.stage import train

    training = train(loaded, dataset, output)
    best = next(epoch for epoch in training.epochs if epoch.epoch == training.best_epoch)
    print(f"best epoch {best.epoch}: validation accuracy {best.val_accuracy:.4f}; wrote {output / 'training.json'}")


if __name__ == "__main__":
    cli.run(main)
