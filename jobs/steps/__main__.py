"""Run a step of the graph for make, and say where the run stands. Make calls it.

    make -n ... | python -m jobs.steps list --run runs/demo
    python -m jobs.steps run train train/training.json --run runs/demo -- python -m jobs.train ...
    python -m jobs.steps graph -- make -f graph.mk look -- make -f graph.mk all

Reads   the steps to do: on standard input (list), in the environment's STEPS, with START, as `list` printed them (run);
        <run>/<artifact> of each of them, for the times
Writes  <run>/logs/<step>.log     everything that the step printed; with V=1 it goes to the terminal instead

Only the standard library is imported: every step of a run starts this.
"""

import argparse
import os
import sys
from pathlib import Path

from common.printable import tell


def main() -> int:
    """The exit status: the command's own for `run`."""
    given, _, command = "\0".join(sys.argv[1:]).partition("\0--\0")
    parser = argparse.ArgumentParser(prog="python -m jobs.steps", description=(__doc__ or "").partition("\n")[0])
    parts = parser.add_subparsers(dest="part", required=True)
    for part, about in (("list", "tell the steps to do with what each took last"), ("run", "run one of them")):
        sub = parts.add_parser(part, help=about)
        sub.add_argument("--run", type=Path, required=True, help="folder of the run")
        if part == "run":
            sub.add_argument("stage", help="name of the stage")
            sub.add_argument("artifact", help="path of its JSON below the run's folder")
    parts.add_parser("graph", help="run the makes that run the steps")
    chosen = parser.parse_args([word for word in given.split("\0") if word])
    if chosen.part == "list":
        from jobs.steps.todo import dump, listed, remembered

        print(dump(remembered(chosen.run, listed(sys.stdin.read()))), end="")
        return 0
    if not command:
        parser.error("give the command after --")
    try:
        if chosen.part == "graph":
            from jobs.steps import graph

            return graph.run([each.split("\0") for each in command.split("\0--\0")])
        from jobs.steps.step import run

        return run(chosen.run, chosen.stage, chosen.artifact, command.split("\0"), os.environ)
    except OSError as error:
        tell(f"error: {error.filename or command.partition(chr(0))[0]}: {error.strerror or error}", sys.stderr)
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # Before the command began; while it runs its signals are its own.
        tell("stopped; the same command goes on", sys.stderr)
        sys.exit(130)
