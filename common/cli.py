"""The edge of every job: a typer application whose errors are one line and an exit status."""

import errno
import os
import sys
from collections.abc import Callable
from enum import Enum
from textwrap import shorten
from typing import Any, NoReturn

import typer

from common.errors import EdgeproofError
from common.printable import clean, tell

# Characters of what typer repeats of a command line.
LINE = 300
# Our own packages: one of theirs that is missing is a fault of ours.
OWN = ("common", "jobs", "tests")


class Use(Enum):
    """What an option's value is to a job, written beside the option: `Annotated[Path, READ, typer.Option(...)]`.
    From this follow the folders that a container sees and how it is joined to the outside (common/job.py)."""

    READ = "a file or folder that is read"
    WRITE = "a folder that is written"
    MODELS = "an experiment whose model files are read"
    DATA = "a data source in place of the experiment's"
    DEVICES = "names of devices to measure on"
    SAMPLES = "an experiment whose samples and targets are read"
    SCORE = "an experiment whose score file is read"


READ, WRITE, MODELS, DATA, DEVICES, SAMPLES, SCORE = Use


def run(*mains: Callable[..., Any]) -> NoReturn:
    """Run a function as a command line; several become sub-commands of their names.

    Exit status: 0, the error's own, 2 for wrong arguments, 1 when the system refuses (disk full,
    no permission), 130 after Ctrl-C (typer's).
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    for main in mains:
        app.command()(main)
    try:
        status = app(standalone_mode=False)
    except EdgeproofError as error:
        _stop(str(error), error.exit_code)
    except typer.TyperException as error:
        # One line, where typer itself draws a box around the usage.
        # And a short one, where a shell made thousands of paths of a pattern.
        said = shorten(clean(error.format_message()).rstrip("."), LINE, placeholder=" …")
        _stop(f"{said} (see --help)", error.exit_code)
    except OSError as error:
        if os.environ.get("EDGEPROOF_DEBUG"):
            raise
        _stop(_describe(error), 1)
    except ModuleNotFoundError as error:
        own = (error.name or "").split(".")[0] in OWN
        if own or os.environ.get("EDGEPROOF_DEBUG"):
            raise
        # Where stages run in containers, only what starts them is installed.
        _stop(f"the package {error.name} is not installed here (run make setup)", 1)
    except MemoryError:
        if os.environ.get("EDGEPROOF_DEBUG"):
            raise
        _stop("out of memory (close other programs, or use smaller inputs)", 1)
    # The status of a typer.Exit comes back as a number, what a function returns as it is.
    sys.exit(status if isinstance(status, int) else 0)


def _describe(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{where}no space left on the device (free some space and run make again)"
    return f"{where}{error.strerror or error}"


def _stop(message: str, status: int) -> NoReturn:
    tell(f"error: {message}", sys.stderr)
    sys.exit(status)
