"""Run a stage in a container.

    python -m jobs.launch run --image training --read runs/demo/dataset --write runs/demo/train \
        -- python -m jobs.train --experiment experiments/demo.toml ...
    python -m jobs.launch build training --iidfile runs/training.iid
    python -m jobs.launch probe

Reads   docker/<image>/Dockerfile and its lock, and what --read names, at its own path
Writes  the folders that --write names, at their own paths; <iidfile>
        .cache/launch/        locks of builds and runs
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli
from jobs.launch.recipe import Image


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
    from jobs.launch.launcher import Request, launch

    raise typer.Exit(launch(Request(image, command, read or (), write or (), network, adb)))


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
    cli.run(run, build, probe)
