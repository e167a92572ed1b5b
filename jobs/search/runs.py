"""The steps of a search are ordinary runs: experiments that it writes, made by make in folders below the search's own.

So each step is planned, logged, sent to containers and gone on with as any other run; what is up to date is not made
again, which is how a search that was killed goes on.
"""

import copy
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import tomli_w

from common.artifact import read, write_bytes
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.schema.benchmark import Benchmark
from common.schema.network import Network
from common.schema.recipe import Recipe
from common.schema.variant import Variant
from common.stopping import on_stop

# What the steps share with the run, and with each other: made once, linked to afterwards.
SHARED = ("dataset", "train")
# Of a screening process: long enough for a median, short since there are many.
SCREENING = {"min_secs": 0.1, "warmup_min_secs": 0.1, "num_runs": 20}
# Settings of the experiment's benchmark that a screening keeps.
KEPT = ("extra_flags", "fixed_performance", "cores", "tool", "max_secs")
# Variables that the steps' makes must not inherit: they would plan for themselves what the search plans.
OWN = ("EXPERIMENT", "RUN", "BUDGET", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MODELS", "STEPS", "START", "PLAN")
MOST_AT_ONCE = 4


@dataclass(frozen=True)
class Where:
    """Which cells decide: their backend and number of threads."""

    backend: str
    threads: int


@dataclass(frozen=True)
class Made:
    """What a step's run holds of a candidate: the artifact and its folder."""

    variant: Variant
    folder: Path

    @property
    def model(self) -> Path:
        """The .tflite file."""
        return self.folder / self.variant.model.path


class Runs:
    """The runs of one search. `make` is the command, `run` the folder of the experiment's own run, whose data set and
    training all steps share; `home` holds the steps."""

    def __init__(self, make: Sequence[str], experiment: LoadedExperiment, raw: bytes, run: Path) -> None:
        self._make = tuple(make)
        self._experiment = experiment
        self._table: dict[str, Any] = tomllib.loads(raw.decode("utf-8-sig"))
        self._run = run
        self._first: str | None = None
        self.home = run / "search"

    def train(self, file: Path) -> None:
        """Have the data set and the trained network in the run's own folder. Raises EdgeproofError where make fails."""
        self._call("train", file, self._run)

    def build(self, name: str, recipes: Mapping[str, Recipe], benchmark: Mapping[str, Any]) -> dict[str, Made]:
        """Make what can be made of these recipes, beside the reference. The step's experiment is then of those."""
        self._write(name, recipes, benchmark)
        self._call("optimize", self._file(name), self.folder(name), keep_going=True)
        made = self.made(name, recipes)
        if len(made) < len(recipes):
            self._write(name, {key: recipe for key, recipe in recipes.items() if key in made}, benchmark)
        return made

    def measure(self, name: str) -> Benchmark:
        """Measure what was built. Raises EdgeproofError where make fails, or nothing can be measured."""
        self._call("benchmark", self._file(name), self.folder(name))
        return self.benchmark(name)

    def finish(self, name: str, file: Path, made: Iterable[Made]) -> Path:
        """The whole run of an experiment, with what other steps made of the same recipes; its folder."""
        self._share(name)
        for one in made:
            self._share_variant(one.folder, name)
        self._call("all", file, self.folder(name))
        return self.folder(name)

    def folder(self, name: str) -> Path:
        """That of a step."""
        return self.home / name

    def benchmark(self, name: str) -> Benchmark:
        """What a step measured last."""
        found = sorted(
            (self.folder(name) / "benchmark").glob("*/benchmark.json"), key=lambda path: path.stat().st_mtime
        )
        if not found:
            raise EdgeproofError(f"{self.folder(name)} holds no measurements", hint="run make search again")
        return read(found[-1], Benchmark)

    def made(self, name: str, recipes: Mapping[str, Recipe]) -> dict[str, Made]:
        """What a step's folder holds of these very recipes."""
        found = {}
        for key, recipe in recipes.items():
            folder = self.folder(name) / "variants" / key
            if (folder / "variant.json").is_file():
                variant = read(folder / "variant.json", Variant)
                if variant.recipe == recipe:
                    found[key] = Made(variant, folder)
        return found

    def problem(self, name: str, candidate: str) -> str:
        """Why a candidate could not be made: the error in its step's log."""
        for log in sorted((self.folder(name) / "logs").glob(f"*{candidate}*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            if told:
                return told[-1]
        return "it could not be made"

    def text(self, recipes: Mapping[str, Recipe], title: str, benchmark: Mapping[str, Any] | None = None) -> bytes:
        """An experiment as the search's own, of the reference and these recipes."""
        table = copy.deepcopy(self._table)
        reference = self._experiment.settings.reference
        table.pop("search", None)
        table["title"] = title
        data = self._experiment.settings.data
        if data.source != table.get("data", {}).get("source"):
            # DATA took the place of the experiment's own.
            table.setdefault("data", {}).update(
                {"source": data.source} | ({"sha256": data.sha256} if data.sha256 else {})
            )
        table["variants"] = {reference: table["variants"][reference]} | {
            name: recipe_table(recipe) for name, recipe in recipes.items()
        }
        if benchmark is not None:
            kept = {key: value for key, value in table.get("benchmark", {}).items() if key in KEPT}
            table["benchmark"] = kept | dict(benchmark)
        self._lead_home(table)
        return tomli_w.dumps(table).encode()

    def write(self, file: Path, content: bytes) -> None:
        """Write an experiment unless it is there already."""
        if not file.is_file() or file.read_bytes() != content:
            write_bytes(file, content)

    def _lead_home(self, table: dict[str, Any]) -> None:
        """Paths of models start at the experiment's folder, and the steps' experiments lie elsewhere."""
        networks = [table["model"]] if "model" in table else []
        for making in table["variants"].values():
            networks += [one["student"] for one in making.get("passes", ()) if "student" in one]
        for network in networks:
            path = network.get("architecture", "")
            if Network.model_construct(architecture=path).is_file and not Path(path).is_absolute():
                network["architecture"] = os.path.relpath(self._experiment.folder / path, self.home)

    def _file(self, name: str) -> Path:
        return self.home / f"{name}.toml"

    def _write(self, name: str, recipes: Mapping[str, Recipe], benchmark: Mapping[str, Any]) -> None:
        title = f"{self._experiment.settings.title}: search, {name}"
        self.write(self._file(name), self.text(recipes, title, benchmark))
        self._share(name)
        # The reference is made once.
        reference = self._experiment.settings.reference
        if self._first is not None:
            self._share_variant(self.folder(self._first) / "variants" / reference, name)
        self._first = self._first or name

    def _share(self, name: str) -> None:
        """The run's data set and training in a step's folder, with the pieces of the plan that they were made by."""
        for part in SHARED:
            _link(self._run / part, self.folder(name) / part)
            _link(self._run / "plan" / part, self.folder(name) / "plan" / part)

    def _share_variant(self, made: Path, name: str) -> None:
        part = Path("variants") / made.name
        _link(made, self.folder(name) / part)
        piece = Path("plan") / part
        _link(made.parent.parent / piece, self.folder(name) / piece)

    def _call(self, goal: str, file: Path, run: Path, *, keep_going: bool = False) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in OWN}
        at_once = min(MOST_AT_ONCE, os.cpu_count() or 1)
        options = ["--keep-going"] if keep_going else []
        argv = [*self._make, f"-j{at_once}", *options, goal, f"EXPERIMENT={file}", f"RUN={run}"]
        status = _run(argv, environment)
        if status and not keep_going:
            raise EdgeproofError(
                f"make {goal} of {file} failed", hint="the message above says why; make search goes on where it stopped"
            )


def _run(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Its exit status. A signal to this process is handed on, and ends this one when make has ended."""
    make = subprocess.Popen(argv, env=environment)  # noqa: S603
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not stopped:
            make.terminate()
        stopped.append(number)

    on_stop(stop)
    try:
        status = make.wait()
    except KeyboardInterrupt:
        # Of the terminal: all below get it too, and end in order.
        make.wait()
        raise
    if stopped:
        sys.exit(128 + stopped[0])
    return status


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """A recipe as it stands in an experiment: what differs from the defaults."""
    table: dict[str, Any] = {}
    whole = recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    for key in ("passes", "convert", "fine_tune"):
        if key in whole:
            table[key] = whole[key]
    return table


def raw_text(path: Path) -> bytes:
    """The experiment's text. Raises UsageError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"experiment {path} cannot be read: {error.strerror}") from None


def _link(source: Path, target: Path) -> None:
    """The files of a folder under the same names, as hard links where the disk has them; what is there and the same
    stays. No artifact is ever changed in place, so that a link is as good as a copy."""
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name == ".lock":
            continue
        place = target / path.relative_to(source)
        if (
            place.is_file()
            and place.stat().st_mtime_ns == path.stat().st_mtime_ns
            and place.stat().st_size == path.stat().st_size
        ):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            os.link(path, place)
        except OSError:
            shutil.copy2(path, place)
