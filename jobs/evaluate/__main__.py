"""Evaluate one variant on the test images, or the validation images where an experiment keeps no others; without a
data set, by its answers to samples beside the reference's.

    python -m jobs.evaluate --experiment experiments/demo.toml --variant runs/demo/variants/float16 \
        --dataset runs/demo/dataset --reference runs/demo/evaluation/baseline --output runs/demo/evaluation/float16

    python -m jobs.evaluate ... --samples runs/mine/inputs --reference runs/mine/evaluation/mine

Reads   <variant>/variant.json and its .tflite, <dataset>/dataset.json or <samples>/inputs.json,
        <reference>/evaluation.json
Writes  <output>/outputs.npy, or outputs.npz and scores.npy
        <output>/evaluation.json     last: accuracy, scores per class, McNemar test, provenance
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    *,
    experiment: Annotated[Path, cli.READ, cli.SCORE, typer.Option(help="Experiment file (TOML).")],
    variant: Annotated[Path, cli.READ, typer.Option(help="Folder that the optimize stage wrote.")],
    dataset: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")] = None,
    samples: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the inputs stage wrote.")] = None,
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
    reference: Annotated[Path | None, cli.READ, typer.Option(help="Evaluation to compare with.")] = None,
) -> None:
    """Run a .tflite variant over the test images, or over samples, through LiteRT."""
    from common.errors import UsageError
    from common.experiment import load
    from common.printable import tell

    if samples is not None and dataset is None:
        from jobs.evaluate.answers import evaluate_answers
        from jobs.evaluate.told import told

        tell(told(evaluate_answers(load(experiment), variant, samples, reference, output)))
        return
    if dataset is None or samples is not None:
        raise UsageError("give either --dataset or --samples")
    from jobs.evaluate.stage import evaluate

    done = evaluate(load(experiment), variant, dataset, reference, output)
    share = done.accuracy
    accuracy = f"{share.value:.4f} ({share.low:.4f} to {share.high:.4f})"
    print(f"{done.variant}: accuracy {accuracy} on {done.count} {done.split} images")


if __name__ == "__main__":
    cli.run(main)
