"""Search the recipes of an experiment for the best on the device that matters.

    python -m jobs.search --experiment experiments/demo.toml --run runs/demo -- make

Reads   <experiment> and what its steps, ordinary runs, leave below <run>/search
Writes  <run>/search/<step>.toml <step>/     a run per step
        <run>/search/found.toml found/       the finalists as an experiment, and its run
        <run>/search/costs.json steps.json optuna.journal
        <run>/search/search.json             last: what became of every candidate
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    make: Annotated[list[str], typer.Argument(help="The make that runs the steps, after --.")],
    *,
    experiment: Annotated[Path, typer.Option(help="Experiment file (TOML).")],
    run: Annotated[Path, typer.Option(help="Folder of the experiment's run.")],
    budget: Annotated[str, typer.Option(help="How long to look, such as 30m; else the experiment's.")] = "",
    data: Annotated[str, typer.Option(help="Replaces the experiment's data source.")] = "",
    data_sha256: Annotated[str, typer.Option(help="sha256 of a data source that is a URL.")] = "",
) -> None:
    """Measure structures, train those that have something to win, and measure the finalists again."""
    from common.experiment import load
    from common.printable import tell
    from jobs.search.runs import raw_text
    from jobs.search.stage import search
    from jobs.search.told import told, with_budget

    loaded = with_budget(load(experiment, data=data, data_sha256=data_sha256), budget)
    for line in told(search(loaded, raw_text(experiment), experiment, run, make), run):
        tell(line)


if __name__ == "__main__":
    cli.run(main)
