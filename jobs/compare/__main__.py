"""Compare two finished runs; with --check hold the head against budgets.

    python -m jobs.compare --base runs/main --head runs/demo
    python -m jobs.compare --check --base runs/main --head runs/demo --budgets budgets.toml

Reads   <run>/report/results.json and, where they are there, <run>/benchmark/*/, evaluation/*/ and dataset/;
        a results.json alone does as well; <rerun>/report/results.json, <budgets>, <history>/history.json
Writes  <head>/compare/compare.md, compare.json
        <head>/check/compare.md, junit.xml, summary.md, compare.json, check.json     with --check
        <gather>/base-*.tflite, head-*.tflite     the files to measure in turns; prints the name of the reference

Exit status of a check: 0 kept, 1 broken, 3 not comparable or too noisy to say.
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    *,
    base: Annotated[Path | None, cli.READ, typer.Option(help="Run, or results.json, to compare with.")] = None,
    head: Annotated[Path, cli.READ, typer.Option(help="Run, or results.json, that is compared.")],
    rerun: Annotated[Path | None, cli.READ, typer.Option(help="Run that measured the files of both in turns.")] = None,
    history: Annotated[
        Path | None, cli.READ, typer.Option(help="History, a folder or file, whose sessions count for the spread.")
    ] = None,
    gather: Annotated[Path | None, cli.WRITE, typer.Option(help="Only write the files for that run here.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Hold the head against budgets.")] = False,
    budgets: Annotated[Path | None, cli.READ, typer.Option(help="Budgets (TOML), with --check.")] = None,
    output: Annotated[Path | None, cli.WRITE, typer.Option(help="Folder to write.")] = None,
) -> int:
    """Say what changed between two runs, and whether budgets are kept."""
    import sys

    from common.errors import UsageError
    from common.printable import tell
    from jobs.compare import stage, terminal

    if budgets is not None and not check:
        raise UsageError("--budgets goes with --check")
    if check and gather is None:
        return terminal.show_check(*stage.check(base, head, rerun, budgets, output, history=history))
    if base is None:
        raise UsageError("there is nothing to compare with", hint="give BASE=<run>, or --base")
    if gather is not None:
        first = stage.gather(base, head, gather)
        if not first:
            tell("note: no file differs: nothing is measured again", sys.stderr)
        print(first)
        return 0
    terminal.show(*stage.compare(base, head, rerun, output, history=history))
    return 0


if __name__ == "__main__":
    cli.run(main)
