"""Show what is in a .tflite file, or in two and what they differ in. Any file will do, not only those made here.

    python -m jobs.inspect model.tflite
    python -m jobs.inspect before.tflite after.tflite
    python -m jobs.inspect model.tflite --json > model.json

Reads   <model> and <other>
Writes  nothing; tables to the terminal, or everything as JSON
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    other: Annotated[Path | None, typer.Argument(help="Another, to compare with it.")] = None,
    *,
    ask: Annotated[bool, typer.Option(help="Ask LiteRT what XNNPACK takes, in a process of its own.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Operators, MACs, number types, zeros, quantisation and what XNNPACK would not take."""
    from jobs.inspect.stage import inspect_files

    report = inspect_files(model, other, ask=ask)
    if json:
        # ASCII only: names in the file may hold what a terminal obeys.
        print(report.model_dump_json(indent=2, ensure_ascii=True))
        return
    from jobs.inspect.show import show

    show(report)


if __name__ == "__main__":
    cli.run(main)
