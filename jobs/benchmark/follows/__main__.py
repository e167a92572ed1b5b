"""Whether the figures of a run's benchmarks follow from the ledgers and logs beside them. Nothing is measured.

    python -m jobs.benchmark.follows --run runs/demo --experiment experiments/demo.toml

Reads   <run>/benchmark/<target>/benchmark.json, its ledger.jsonl and logs/, the JSON of <run>/variants/
Writes  nothing; a line of JSON for everything that does not follow, and one at the end
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.experiment import load
from common.findings import tell_findings
from jobs.benchmark.follows.check import follows


def main(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
) -> None:
    """Derive every row, session and warning again."""
    tell_findings(*follows(run, load(experiment)))


if __name__ == "__main__":
    cli.run(main)
