"""A stage's command line in this process: another one would spend its time on imports that are here already."""

import contextlib
import importlib
import io
import subprocess
import sys
from unittest.mock import patch

from common import cli
from common.provenance import ROOT


def command(stage: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """What `python -m jobs.<stage>` prints and how it exits, run from the checkout.

    Whether a process of its own imports what it needs, and prints nothing beside it, shows only in a real one.
    """
    argv = [f"jobs.{stage}", *map(str, arguments)]
    main = importlib.import_module(f"jobs.{stage}.__main__").main
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", argv),
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.run(main)
        except SystemExit as ended:
            status = ended.code
    return subprocess.CompletedProcess(argv, int(status or 0), out.getvalue(), err.getvalue())
