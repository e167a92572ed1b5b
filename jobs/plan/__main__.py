"""Check an experiment and split it into what each stage depends on. Make calls it first.

    python -m jobs.plan --experiment experiments/demo.toml --output runs/demo/plan

Reads   <experiment>, the model files that it names, and the names and times of a local data source's files
Removes the JSON of an artifact beside <output> that lost one of its files, so that it is made anew
Writes  <output>/dataset.json train.json evaluate.json benchmark.json choose.json report.json variants/<name>.json
        <output>/plan.mk     the names of the variants and targets, for the Makefile
        <output>/source model students/<name>     paths of the data and of model files; empty without
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    experiment: Annotated[Path, typer.Option(help="Experiment file (TOML).")],
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    data: Annotated[str, typer.Option(help="Replaces the experiment's data source.")] = "",
    data_sha256: Annotated[str, typer.Option(help="sha256 of a data source that is a URL.")] = "",
    devices: Annotated[str, typer.Option(help="Where to measure: host, any or serials.")] = "host",
) -> None:
    """Validate an experiment file; a piece is rewritten only when its content changed."""
    from common.adb.names import listed
    from common.experiment import load
    from jobs.plan.missing import take_away_incomplete
    from jobs.plan.pieces import write_plan

    notice = write_plan(load(experiment, data=data, data_sha256=data_sha256), output, listed(devices))
    if notice:
        print(notice)
    for path in take_away_incomplete(output.parent):
        print(f"note: {path} is gone, so it is made anew")


if __name__ == "__main__":
    cli.run(main)
