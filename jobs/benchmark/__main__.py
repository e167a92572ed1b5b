"""Measure every variant of an experiment on one target.

    python -m jobs.benchmark --experiment experiments/demo.toml --variants runs/demo/variants \
        --device host --output runs/demo/benchmark/host

Reads   <variants>/<name>/variant.json and the .tflite files
Writes  <output>/ledger.jsonl logs/     as it goes; an interrupted run goes on from there
        <output>/benchmark.json         last: a row per variant, backend and thread count
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.errors import UsageError


def main(
    experiment: Annotated[Path, typer.Option(help="Experiment file (TOML).")],
    variants: Annotated[Path, typer.Option(help="Folder that holds a folder per variant.")],
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    device: Annotated[str, typer.Option(help="Where to measure: host (this machine).")] = "host",
) -> None:
    """Run every variant in fresh processes, interleaved in rounds, with benchmark_model's semantics."""
    from common.experiment import load
    from jobs.benchmark.stage import benchmark
    from jobs.benchmark.targets.host import HostTarget

    if device != "host":
        raise UsageError(f"device '{device}' is not supported", hint="use DEVICE=host")
    result = benchmark(load(experiment), variants, HostTarget(), output)
    print(f"{len(result.rows)} rows; wrote {output / 'benchmark.json'}")


if __name__ == "__main__":
    cli.run(main)
