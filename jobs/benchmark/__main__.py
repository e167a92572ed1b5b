"""Measure every variant of an experiment on one target.

    python -m jobs.benchmark --experiment experiments/demo.toml --variants runs/demo/variants \
        --device host --output runs/demo/benchmark/host
    python -m jobs.benchmark --look --experiment experiments/demo.toml --devices R5CT --output runs/demo/benchmark

Reads   <variants>/<name>/variant.json and the .tflite files, <dataset> for answers on a device
Writes  <output>/ledger.jsonl logs/     as it goes; an interrupted run goes on from there
        <output>/benchmark.json         last: a row per variant, backend and thread count
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    *,
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
    output: Annotated[Path, cli.WRITE, typer.Option(help="Folder to write.")],
    variants: Annotated[Path | None, cli.READ, typer.Option(help="Folder that holds a folder per variant.")] = None,
    device: Annotated[
        str, cli.DEVICES, typer.Option(help="Where to measure: host, any, a serial or host:port.")
    ] = "host",
    devices: Annotated[
        str, cli.DEVICES, typer.Option(help="Several, in parallel, each into a folder of <output>.")
    ] = "",
    dataset: Annotated[Path | None, cli.READ, typer.Option(help="Dataset folder, for outputs_images.")] = None,
    samples: Annotated[
        Path | None, cli.READ, typer.Option(help="Samples folder, for models without a dataset.")
    ] = None,
    binary: Annotated[Path | None, cli.READ, typer.Option(help="benchmark_model to use on the device.")] = None,
    apk: Annotated[Path | None, cli.READ, typer.Option(help="benchmark_model app to use on the device.")] = None,
    hexagon: Annotated[Path | None, cli.READ, typer.Option(help="Folder with Hexagon's libraries.")] = None,
    second: Annotated[
        Path | None,
        cli.READ,
        typer.Option(help="Another benchmark_model, measured beside the first."),
    ] = None,
    npu: Annotated[Path | None, cli.READ, typer.Option(help="Folder with the libraries of the device's NPU.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave files and app on the device.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Only see whether the devices can be measured on.")] = False,
    named: Annotated[bool, typer.Option("--named", hidden=True, help="One of several: it says which.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for a device that vanished.")] = 180.0,
) -> None:
    """Run every variant in fresh processes, interleaved in rounds, with benchmark_model's semantics."""
    from common.adb.names import listed, safe_name, single
    from common.errors import EdgeproofError, UsageError
    from common.experiment import load
    from common.printable import tell
    from jobs.benchmark.dispatch import last_words, measure_on
    from jobs.benchmark.parallel import measure_on_all
    from jobs.benchmark.targets.device_options import DeviceOptions

    options = DeviceOptions(
        binary=binary, second=second, apk=apk, hexagon=hexagon, npu=npu, keep=keep, patience_s=patience
    )
    serials = listed(devices) if devices else (single(device),)
    if look:
        from jobs.benchmark.look import look as look_at

        raise typer.Exit(look_at(serials, load(experiment), output, options))
    if variants is None:
        raise UsageError("there is nothing to measure", hint="give --variants")
    if devices:
        if len(serials) > 1:
            raise typer.Exit(measure_on_all(serials, sys.argv[1:], output))
        output /= safe_name(serials[0])
    [device] = serials
    try:
        result = measure_on(
            device,
            load(experiment),
            variants=variants,
            dataset=dataset,
            samples=samples,
            output=output,
            options=options,
            named=named,
        )
    except EdgeproofError as error:
        raise error.of(device) if named else error from None
    tell(f"{f'{result.target.name}  ' if named else ''}{last_words(result, output)}")


if __name__ == "__main__":
    cli.run(main)
