"""Evaluate one variant on the test images, or the validation images where an experiment keeps no others.

    python -m jobs.evaluate --experiment experiments/demo.toml --variant runs/demo/variants/float16 \
        --dataset runs/demo/dataset --reference runs/demo/evaluation/baseline --output runs/demo/evaluation/float16

Reads   <variant>/variant.json and its .tflite, <dataset>/dataset.json, <reference>/evaluation.json
Writes  <output>/outputs.npy
        <output>/evaluation.json     last: accuracy, scores per class, McNemar test, provenance
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
    variant: Annotated[Path, cli.READ, typer.Option(help="Folder that the optimize stage wrote.")],
    dataset: Annotated[Path, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
    reference: Annotated[Path | None, cli.READ, typer.Option(help="Evaluation to compare with.")] = None,
) -> None:
    """Run a .tflite variant over the test images through LiteRT."""
    from common.experiment import load
    from jobs.evaluate.stage import evaluate

    done = evaluate(load(experiment), variant, dataset, reference, output)
    share = done.accuracy
    accuracy = f"{share.value:.4f} ({share.low:.4f} to {share.high:.4f})"
    print(f"{done.variant}: accuracy {accuracy} on {done.count} {done.split} images")


if __name__ == "__main__":
    cli.run(main)
