"""Run a stage, or any command, in a container.

    python -m jobs.launch stage train -- --experiment experiments/demo.toml --dataset runs/demo/dataset ...
    python -m jobs.launch run --image training --read photos --write out -- python -c ...
    python -m jobs.launch build training --iidfile runs/training.iid
    python -m jobs.launch probe

Reads   docker/<image>/Dockerfile and its lock, and what the stage or --read names, at its own path
Writes  the folders that the stage or --write names, at their own paths; <iidfile>
        .cache/launch/        locks of builds and runs
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from jobs.launch.ingredients import Image


def run(
    command: Annotated[list[str], typer.Argument(help="The job, after --.")],
    *,
    image: Annotated[Image, typer.Option(help="Image to run it in.")],
    read: Annotated[list[Path] | None, typer.Option(help="File or folder that it reads; repeatable.")] = None,
    write: Annotated[list[Path] | None, typer.Option(help="Folder that it writes; repeatable.")] = None,
    network: Annotated[bool, typer.Option("--network", help="Give it a network; without it there is none.")] = False,
    adb: Annotated[bool, typer.Option("--adb", help="Let it reach Android devices, on the host's network.")] = False,
) -> None:
    """Run a command in a container; its exit status is this one's."""
    from common.job import Job
    from jobs.launch.launcher import launch

    job = Job(image.value, tuple(command), tuple(read or ()), tuple(write or ()), network=network, adb=adb)
    raise typer.Exit(launch(job))


def stage(
    name: Annotated[str, typer.Argument(help="The stage, such as train.")],
    arguments: Annotated[list[str], typer.Argument(help="Its arguments, after --.")],
) -> None:
    """Run a stage in its image; what it reads and writes is found in its arguments."""
    from importlib import import_module

    from common.errors import UsageError
    from common.job import IMAGES, describe
    from jobs.launch.launcher import launch

    if name not in IMAGES:
        raise UsageError(f"{name} is no stage", hint=f"give one of {', '.join(IMAGES)}")
    raise typer.Exit(launch(describe(name, import_module(f"jobs.{name}.__main__").main, arguments)))


def build(
    image: Annotated[Image, typer.Argument(help="Image to build.")],
    iidfile: Annotated[Path | None, typer.Option(help="File for the image's id, replaced when it changes.")] = None,
) -> None:
    """Build an image, or find the one that was built from the same things before."""
    from os import environ

    from jobs.launch.build import ensure_image, write_image_id
    from jobs.launch.container import connect

    image_id = ensure_image(connect(), image, environ)
    if iidfile is not None:
        write_image_id(iidfile, image_id)
    print(image_id)


def probe() -> None:
    """Print the version of the Docker engine; exit status 75 when none answers."""
    from jobs.launch.container import probe_version

    print(probe_version())


if __name__ == "__main__":
    cli.run(stage, run, build, probe)
