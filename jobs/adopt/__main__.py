"""Take a finished .tflite file as a variant of an experiment.

    python -m jobs.adopt --experiment mine.toml --variant mine --output runs/mine/variants/mine

Reads   the file that the experiment names
Writes  <output>/<variant>.tflite    the same bytes
        <output>/variant.json        last: what is in it, its ports and signatures, provenance
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.printable import tell


def main(
    experiment: Annotated[Path, cli.READ, cli.MODELS, typer.Option(help="Experiment file (TOML).")],
    variant: Annotated[str, typer.Option(help="Name of the variant to take.")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
) -> None:
    """Check that LiteRT loads the file, and write down what is in it."""
    from common.experiment import load
    from jobs.adopt.stage import adopt

    made = adopt(load(experiment), variant, output)
    operators = sum(made.operators.values())
    tell(f"{variant}: {made.model.size_bytes:,} bytes, {operators} operators")


if __name__ == "__main__":
    cli.run(main)
