"""Quantise a finished .tflite file by one of litert-quantizer's recipes.

    python -m jobs.quantize --experiment mine.toml --variant mine_int8 --samples runs/mine/inputs \
        --output runs/mine/variants/mine_int8

Reads   the file that the experiment names; for a static format <dataset>/dataset.json and its training images, or
        <samples>/inputs.json
Writes  <output>/<variant>.tflite
        <output>/variant.json        last: what is in it, and whether the recipe's promises are kept
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.printable import tell


def main(
    experiment: Annotated[Path, cli.READ, cli.MODELS, typer.Option(help="Experiment file (TOML).")],
    variant: Annotated[str, typer.Option(help="Name of the variant in the experiment.")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
    dataset: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")] = None,
    samples: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the inputs stage wrote.")] = None,
) -> None:
    """Quantise the file, and check what the result holds."""
    from common.experiment import load
    from common.promises import waived
    from jobs.quantize.stage import quantize

    made = quantize(load(experiment), variant, dataset, samples, output)
    kept = sum(promise.kept for promise in made.promises)
    tell(f"{variant}: {made.model.size_bytes:,} bytes; {kept} of {len(made.promises)} promises kept")
    for line in waived(variant, made.promises):
        tell(line)


if __name__ == "__main__":
    cli.run(main)
