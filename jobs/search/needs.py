"""What a search's steps import, locally: before anything else is set up.

    python -m jobs.search.needs --experiment mine.toml

Reads   <experiment>
Writes  to standard output `local`, or `data` where nothing is trained
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli

# As the Makefile calls the environments.
ALL, FILES = "local", "data"


def main(experiment: Annotated[Path, typer.Option(help="Experiment file (TOML).")]) -> None:
    """Say which environment a search needs."""
    from common.experiment import load

    settings = load(experiment).settings
    print(ALL if settings.reference in settings.recipes else FILES)


if __name__ == "__main__":
    cli.run(main)
