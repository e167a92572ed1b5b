"""Draw or read the samples that every variant is asked with, where no data set of images is.

    python -m jobs.inputs --experiment mine.toml --variant runs/mine/variants/mine --output runs/mine/inputs

Reads   <variant>/variant.json of the reference, the folder of samples and of targets that the experiment names
Writes  <output>/samples.npz targets/
        <output>/inputs.json     last: every input with its shape, its range and where that comes from
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    experiment: Annotated[Path, cli.READ, cli.SAMPLES, typer.Option(help="Experiment file (TOML).")],
    variant: Annotated[Path, cli.READ, typer.Option(help="Folder of the reference.")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
) -> None:
    """Samples for the inputs of the reference."""
    from common.experiment import load
    from common.printable import tell
    from jobs.inputs.stage import sample

    made = sample(load(experiment), variant, output)
    how = "drawn" if made.kind == "drawn" else "read"
    tell(f"{made.count} samples {how} for " + ", ".join(f"{port.name} {list(port.shape)}" for port in made.ports))


if __name__ == "__main__":
    cli.run(main)
