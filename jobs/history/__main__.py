"""Every session of the devices over all runs of a folder, and what changed when.

    python -m jobs.history --runs runs --output history
    python -m jobs.history --runs runs --device R5CT10ABC --output history
    python -m jobs.report --history history/history.json --output history

Reads   <runs>/*/benchmark/*/benchmark.json and the ledgers beside them; <runs>/*/report/results.json of a run without
Writes  <output>/history.parquet    a row per session and cell
        <output>/history.json       last; jobs.compare takes it too

Needs DuckDB (requirements/history.txt), which `make history` installs.
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    *,
    runs: Annotated[Path, cli.READ, typer.Option(help="Folder that holds a folder per run.")] = Path("runs"),
    device: Annotated[str | None, typer.Option(help="Only this device: host, or a serial.")] = None,
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")] = Path("history"),
) -> None:
    """Gather every session of the devices, and say what changed."""
    from common.adb.names import single
    from common.errors import UsageError

    wanted = None if device is None else single(device)
    try:
        from jobs.history import stage, terminal
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        hint = "make history installs it; or pip install --require-hashes -r requirements/history.txt"
        raise UsageError("DuckDB is not installed", hint=hint) from None
    terminal.show(*stage.history(runs, wanted, output))


if __name__ == "__main__":
    cli.run(main)
