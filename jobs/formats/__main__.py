"""Write a run's results for another tool.

    python -m jobs.formats google-benchmark --results runs/demo/report/results.json --output demo.json
    python -m jobs.formats bencher --results runs/demo/report/results.json --output demo.json
    python -m jobs.formats model-explorer --results runs/demo/report/results.json --output nodes/
    MLFLOW_TRACKING_URI=sqlite:////path/mlflow.db \\
    python -m jobs.formats mlflow --results runs/demo/report/results.json --run runs/demo

Reads   <results>; with --run the report, the models and their artifacts
Writes  <output>; model-explorer a file per profiled cell into that folder; mlflow the store
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli

Given = Annotated[Path, cli.READ, typer.Option("--results", help="A results file.")]
File = Annotated[Path, typer.Option("--output", help="The file to write.")]
Folder = Annotated[Path, cli.WRITE, typer.Option("--output", help="The folder to write.")]
Made = Annotated[Path | None, cli.READ, typer.Option("--run", help="The run's folder, for artifacts and models.")]


def google_benchmark(*, results: Given, output: File) -> None:
    """Google Benchmark's JSON, an entry per process: for compare.py, Bencher and github-action-benchmark."""
    from jobs.formats import stage

    stage.google_benchmark(results, output)


def bencher(*, results: Given, output: File) -> None:
    """Bencher Metric Format: latency with its interval, size, memory and accuracy."""
    from jobs.formats import stage

    stage.bencher(results, output)


def model_explorer(*, results: Given, output: Folder) -> None:
    """Model Explorer's node data: the time of every node, a file per profiled cell."""
    from jobs.formats import stage

    stage.model_explorer(results, output)


def mlflow(*, results: Given, run: Made = None) -> None:
    """Runs in the MLflow store of MLFLOW_TRACKING_URI, one per variant and target; a second export adds none."""
    from jobs.formats import stage

    stage.mlflow(results, run)


if __name__ == "__main__":
    cli.run(google_benchmark, bencher, model_explorer, mlflow)
