"""Write a run's results for another tool.

    python -m jobs.formats google-benchmark --results runs/demo/report/results.json --output demo.json
    python -m jobs.formats bencher --results runs/demo/report/results.json --output demo.json

Reads   <results>
Writes  <output>
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def google_benchmark(
    *,
    results: Annotated[Path, cli.READ, typer.Option(help="A results file.")],
    output: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Google Benchmark's JSON, an entry per process: for compare.py, Bencher and github-action-benchmark."""
    from common.artifact import read, write_bytes
    from common.schema.results import Results
    from jobs.formats.google import google_json

    write_bytes(output, google_json(read(results, Results)))


def bencher(
    *,
    results: Annotated[Path, cli.READ, typer.Option(help="A results file.")],
    output: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Bencher Metric Format: latency with its interval, size, memory and accuracy."""
    from common.artifact import read, write_bytes
    from common.schema.results import Results
    from jobs.formats.bencher import bencher_json

    write_bytes(output, bencher_json(read(results, Results)))


if __name__ == "__main__":
    cli.run(google_benchmark, bencher)
