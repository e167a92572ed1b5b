"""A job as whoever starts it must know it: a stage's command line, and what follows from it.

Every path stands once, in the command; what is read and written is told by the marks beside the stage's own
options (`common.cli.Use`) and, for the files that an experiment names, by the experiment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from common.adb.names import HOST, is_address, listed
from common.cli import Use
from common.experiment import LoadedExperiment, load
from common.model_file import given_path, model_file
from common.provenance import ROOT
from common.schema.network import Network
from common.schema.recipe import Recipe
from common.schema.source import is_local, is_url

# The image of each stage that make runs; all of its dependencies stand in docker/<image>/.
IMAGES = {
    "dataset": "data",
    "train": "training",
    "optimize": "training",
    "adopt": "files",
    "quantize": "data",
    "export": "training",
    "inputs": "files",
    "evaluate": "files",
    "benchmark": "adb",
    "choose": "files",
    "report": "files",
}
# Files of the checkout that a stage reads besides Python modules.
ALSO_READS = {"report": (ROOT / "reports" / "templates",)}


@dataclass(frozen=True)
class Job:
    """A command and what it needs. `image` is a folder of docker/; `reads` are files and folders, `writes` folders,
    both as they were given.

    `network`: it fetches from a URL. `adb`: it talks to Android devices. `server` are those of them that only the
    host's adb server knows: one that starts in a container has no USB devices, and has found nothing in the network.

    `named` are those of `reads` that stand in the experiment and not in the command. `cpus` is the least number of
    processors that it is given on a cluster; `gpu`: it has a use for one.
    """

    image: str
    argv: tuple[str, ...]
    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    network: bool = False
    adb: bool = False
    server: tuple[str, ...] = ()
    named: tuple[Path, ...] = ()
    cpus: int = 1
    gpu: bool = False


@dataclass(frozen=True)
class Option:
    """An option: its name, what its value is to the job, and the value; None where it was not given."""

    name: str
    uses: frozenset[Use]
    value: Any


def describe(stage: str, main: Callable[..., Any], arguments: Sequence[str]) -> Job:
    """The job of a stage whose command line is declared by `main`.

    Raises typer's own exceptions for arguments that the stage would refuse, and UsageError for an experiment
    that cannot be loaded, where its content matters.
    """
    options = options_of(main, arguments)
    named = {option.name: option.value for option in options}
    reads = [path for option in options if Use.READ in option.uses for path in _paths(option.value)]
    inside: list[Path] = []
    source = ""
    for option in options:
        if Use.MODELS in option.uses:
            inside += models(load(option.value))
        if Use.SAMPLES in option.uses:
            inside += samples(load(option.value))
        if Use.SCORE in option.uses:
            loaded = load(option.value)
            inside += [loaded.folder / path for path in (loaded.settings.evaluate.score,) if path]
        if Use.DATA in option.uses:
            source = option.value or load(named["experiment"]).settings.data.source
            if source and is_local(source):
                (reads if option.value else inside).append(Path(source))
    devices = [name for option in options if Use.DEVICES in option.uses for name in _devices(option)]
    return Job(
        image=IMAGES[stage],
        argv=("python", "-m", f"jobs.{stage}", *arguments),
        reads=(*reads, *inside, *ALSO_READS.get(stage, ())),
        writes=tuple(path for option in options if Use.WRITE in option.uses for path in _paths(option.value)),
        network=bool(source) and is_url(source),
        adb=bool(devices),
        server=tuple(name for name in devices if not is_address(name)),
        named=tuple(inside),
        # What measures on devices waits for them.
        cpus=0 if devices else 1,
        gpu=IMAGES[stage] == "training",
    )


def options_of(main: Callable[..., Any], arguments: Sequence[str]) -> list[Option]:
    """Every option of a command line with its value, defaults included."""
    app = typer.Typer(add_completion=False)
    app.command()(main)
    context = typer.main.get_command(app).make_context(main.__module__, list(arguments))
    hints = get_type_hints(main, include_extras=True)
    return [Option(name, _uses(hints[name]), value) for name, value in context.params.items()]


def models(experiment: LoadedExperiment) -> Iterator[Path]:
    """The files and folders of models that an experiment names. Raises UsageError for one that is missing."""
    settings = experiment.settings
    networks = [settings.model, *(recipe.student for recipe in settings.recipes.values())]
    for network in networks:
        path = model_file(network, experiment.folder) if isinstance(network, Network) else None
        if path is not None:
            yield path
    for making in settings.variants.values():
        if not isinstance(making, Recipe):
            yield given_path(making, experiment.folder)


def samples(experiment: LoadedExperiment) -> Iterator[Path]:
    """The folders of samples and targets that an experiment names."""
    settings = experiment.settings
    for path in (settings.inputs.source, settings.evaluate.targets):
        if path:
            yield experiment.folder / path


def _devices(option: Option) -> list[str]:
    """The devices that an option names, one or a list, but for this machine."""
    named = listed(option.value) if option.name == "devices" and option.value else (option.value or HOST,)
    return [name for name in named if name != HOST]


def _uses(hint: Any) -> frozenset[Use]:
    return frozenset(mark for mark in get_args(hint) if isinstance(mark, Use))


def _paths(value: Any) -> tuple[Path, ...]:
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(Path(one) for one in values if one is not None)
