"""Check an experiment and split it into what each artifact depends on. Make calls it first.

    python -m jobs.plan --experiment experiments/demo.toml --run runs/demo
    python -m jobs.plan --models "a.tflite b.tflite" --run runs/models

Reads   <experiment>, or the names of finished files; the model files that it names, the names and times of a local
        data source's files, the code, the tools for devices; where a device is named, the adb server
Writes  <run>/plan/models.toml       the experiment that finished files stand for
        <run>/plan/<artifact>        a piece per artifact, rewritten only when its content changed
        .cache/plan/imports.json     what each module of this checkout imports
        .cache/binaries/             with --measure: the published tools for the devices
        and to standard output the names that the graph is made of, for make
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    *,
    experiment: Annotated[Path | None, typer.Option(help="Experiment file (TOML).")] = None,
    models: Annotated[str, typer.Option(help="Finished .tflite files instead: files, folders, patterns.")] = "",
    reference: Annotated[str, typer.Option(help="Which of them the others are compared with.")] = "",
    inputs: Annotated[str, typer.Option(help="A folder of samples for them.")] = "",
    run: Annotated[Path, typer.Option(help="Folder of the run.")],
    data: Annotated[str, typer.Option(help="Replaces the experiment's data source.")] = "",
    data_sha256: Annotated[str, typer.Option(help="sha256 of a data source that is a URL.")] = "",
    budget: Annotated[str, typer.Option(help="With --models: how long a session goes on with rounds.")] = "",
    device: Annotated[str, typer.Option(help="Where to measure: host, any or a serial.")] = "host",
    devices: Annotated[str, typer.Option(help="Several, in place of --device.")] = "",
    binary: Annotated[str, typer.Option(help="The user's own benchmark_model for devices.")] = "",
    apk: Annotated[str, typer.Option(help="The user's own benchmark_model app.")] = "",
    hexagon: Annotated[str, typer.Option(help="Folder with Hexagon's libraries.")] = "",
    second: Annotated[str, typer.Option(help="Another benchmark_model, measured beside --binary.")] = "",
    npu: Annotated[str, typer.Option(help="Folder with the libraries of the device's NPU.")] = "",
    measure: Annotated[bool, typer.Option("--measure", help="Have the tools for what will be measured.")] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Write nothing.")] = False,
) -> None:
    """Validate an experiment file and print the names of its graph."""
    from common.adb.names import listed, single
    from common.errors import UsageError
    from common.experiment import load
    from jobs.plan.models import Given
    from jobs.plan.places import Tools
    from jobs.plan.stage import plan, plan_models

    meant = listed(devices) if devices.strip() else (single(device),)
    tools = Tools(*(Path(path) if path else None for path in (binary, apk, hexagon, second, npu)))
    if models.strip():
        given = Given(models, reference, inputs, data, data_sha256, budget)
        print(plan_models(given, run, meant, tools, dry=dry, measure=measure), end="")
        return
    if reference or inputs or budget:
        hint = "in an experiment: reference, [inputs] source and [benchmark] budget"
        raise UsageError("REFERENCE, INPUTS and BUDGET go with MODELS", hint=hint)
    if experiment is None:
        raise UsageError("give --experiment or --models")
    loaded = load(experiment, data=data, data_sha256=data_sha256)
    print(plan(loaded, run, meant, tools, dry=dry, measure=measure), end="")


if __name__ == "__main__":
    cli.run(main)
