"""Show all runs on a page, at an address that only this machine can reach. Ctrl-C ends it.

    python -m jobs.serve --runs runs
    python -m jobs.serve --runs runs --port 8080

Reads   <runs>/<run>/report/ and best/: the files that a report and a choice consist of, and no others
Writes  nothing
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    runs: Annotated[Path, cli.READ, typer.Option(help="Folder that holds a folder per run.")] = Path("runs"),
    port: Annotated[str, typer.Option(help="Port on 127.0.0.1; a free one unless given.")] = "",
) -> None:
    """Serve an index of the runs with their reports, results and model cards."""
    from common.printable import tell
    from jobs.serve.server import bound, port_of

    with bound(runs, port_of(port)) as server:
        tell(f"{runs}: {server.url} (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            # The way to end it.
            return


if __name__ == "__main__":
    cli.run(main)
