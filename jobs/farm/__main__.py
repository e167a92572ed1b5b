"""Run a stage on a Ray cluster, be a node of one, or say what phones it has.

    RAY_ADDRESS=127.0.0.1:6379 python -m jobs.farm stage train -- --experiment experiments/demo.toml ...
    RAY_ADDRESS=127.0.0.1:6379 python -m jobs.farm node
    RAY_ADDRESS=127.0.0.1:6379 python -m jobs.farm phones

Reads   what the stage reads; ~/.ray/auth_token
Writes  what the stage writes; as a node
        .cache/farm/node/store/   files by their content, a bounded number of bytes
        .cache/farm/node/work/    a folder for each job that runs
"""

from typing import Annotated

import typer

from common import cli


def stage(
    name: Annotated[str, typer.Argument(help="The stage, such as train.")],
    arguments: Annotated[list[str], typer.Argument(help="Its arguments, after --.")],
) -> None:
    """Run a stage on a node that has what it needs; what it reads and writes is found in its arguments."""
    from jobs.farm.stage import run

    raise typer.Exit(run(name, arguments))


def attempt(
    name: Annotated[str, typer.Argument(help="The stage.")],
    arguments: Annotated[list[str], typer.Argument(help="Its arguments, after --.")],
    *,
    serial: Annotated[list[str] | None, typer.Option(help="A phone that is not done; repeatable.")] = None,
    again: Annotated[bool, typer.Option("--again", help="What it needs was there before.")] = False,
    told: Annotated[int, typer.Option(help="Descriptor that it writes its status to.")] = 1,
) -> None:
    """What `stage` starts: the process that is joined to the cluster."""
    from jobs.farm.stage import attempt as once

    raise typer.Exit(once(name, arguments, serial or (), again=again, told=told))


def node(
    *,
    head: Annotated[bool, typer.Option("--head", help="Be the head, at the port of RAY_ADDRESS.")] = False,
    cpus: Annotated[int | None, typer.Option(min=0, help="Processors for jobs; all without it.")] = None,
) -> None:
    """Be a node of the cluster, with the phones that are attached, until Ctrl-C."""
    from os import environ

    from jobs.farm.node import keep
    from jobs.farm.stage import address_of

    raise typer.Exit(keep(address_of(environ), head=head, cpus=cpus))


def ray_node(
    *,
    head: Annotated[bool, typer.Option("--head")] = False,
    cpus: Annotated[int | None, typer.Option(min=0)] = None,
    serial: Annotated[list[str] | None, typer.Option(help="A phone that hangs on it; repeatable.")] = None,
) -> None:
    """What `node` starts: the process that is one of Ray's nodes."""
    from os import environ

    from jobs.farm.node import serve
    from jobs.farm.stage import address_of

    raise typer.Exit(serve(address_of(environ), head=head, cpus=cpus, serials=serial or ()))


def phones() -> None:
    """Print the phones of the cluster as JSON."""
    from os import environ

    from jobs.farm.cluster import joined
    from jobs.farm.phones import phones as found
    from jobs.farm.stage import address_of

    with joined(address_of(environ)) as cluster:
        print(found(cluster).model_dump_json())


if __name__ == "__main__":
    cli.run(stage, attempt, node, ray_node, phones)
