"""Convert a saved Keras 3 model as it is.

    python -m jobs.export --experiment mine.toml --variant mine_int8 --samples runs/mine/inputs \
        --output runs/mine/variants/mine_int8

Reads   the `.keras` or `.h5` file that the experiment names; for a calibrated format <dataset>/dataset.json and its
        training images, or <samples>/inputs.json
Writes  <output>/<variant>.tflite
        <output>/variant.json        last: what is in it, and whether the format's promises are kept
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
    """Convert the model, and check the file against Keras' own answers."""
    from common.experiment import load
    from common.promises import waived
    from jobs.export.keras_import import load_quietly

    loaded = load(experiment)
    load_quietly()
    from jobs.export.stage import export

    made = export(loaded, variant, dataset, samples, output)
    kept = sum(promise.kept for promise in made.promises)
    tell(f"{variant}: {made.model.size_bytes:,} bytes; {kept} of {len(made.promises)} promises kept")
    for line in waived(variant, made.promises):
        tell(line)


if __name__ == "__main__":
    cli.run(main)
