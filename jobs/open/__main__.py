"""Open the report of a run in the browser; where there is none, say where it is.

    python -m jobs.open --run runs/demo

Reads   <run>/report/report.html, to see that it is there; BROWSER, DISPLAY, WAYLAND_DISPLAY
Writes  nothing
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(run: Annotated[Path, cli.READ, typer.Option(help="Folder of the run.")]) -> None:
    """Open <run>/report/report.html."""
    import os
    import shutil
    import sys

    from common.errors import UsageError
    from common.printable import tell
    from jobs.open.browser import browser, start

    report = run / "report" / "report.html"
    if not report.is_file() or not report.resolve().is_relative_to(run.resolve()):
        raise UsageError(f"{report} does not exist", hint="make all makes it; RUN or EXPERIMENT names the run")
    tell(f"report: {report}")
    command = browser(os.environ, sys.platform, shutil.which, report.resolve())
    if command is None or not start(command):
        tell(f"no browser could be started here; open {report.resolve().as_uri()}")


if __name__ == "__main__":
    cli.run(main)
