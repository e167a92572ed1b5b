"""Make one variant of a trained model.

    python -m jobs.optimize --experiment experiments/demo.toml --variant float16 \
        --dataset runs/demo/dataset --training runs/demo/train --output runs/demo/variants/float16

Reads   <dataset>/dataset.json and its arrays, <training>/training.json and model.h5,
        the model file of a student, if any
Writes  <output>/<variant>.tflite keras_outputs.npy
        <output>/variant.json     last: sizes, tensors, operators, promises, provenance
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    experiment: Annotated[Path, cli.READ, cli.MODELS, typer.Option(help="Experiment file (TOML).")],
    variant: Annotated[str, typer.Option(help="Name of the variant in the experiment.")],
    dataset: Annotated[Path, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")],
    training: Annotated[Path, cli.READ, typer.Option(help="Folder that the train stage wrote.")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
) -> None:
    """Run a variant's recipe: its passes, the conversion, and the check of what the file holds."""
    from common.experiment import load
    from common.printable import tell
    from common.promises import waived
    from common.tensorflow_import import load_quietly

    loaded = load(experiment)
    load_quietly()
    from jobs.optimize.stage import optimize

    made = optimize(loaded, variant, dataset, training, output)
    kept = sum(promise.kept for promise in made.promises)
    print(
        f"{variant}: {made.model.size_bytes:,} bytes, deflated {made.deflated_bytes:,}; "
        f"{kept} of {len(made.promises)} promises kept"
    )
    for line in waived(variant, made.promises):
        tell(line)


if __name__ == "__main__":
    cli.run(main)
