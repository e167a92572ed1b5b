"""The steps of a search are ordinary runs: experiments that it writes, made by make in folders below the search's own.

So each step is planned, logged, sent to containers and gone on with as any other run; what is up to date is not made
again, which is how a search that was killed goes on.
"""

import copy
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from common.artifact import read, write_bytes
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.schema.benchmark import Benchmark
from common.schema.network import Network
from common.schema.search_result import Answered, Way
from common.schema.variant import Variant
from jobs.search.answered import ARTIFACT as EVALUATION
from jobs.search.answered import answered
from jobs.search.links import linked
from jobs.search.needs import FILES
from jobs.search.process import attended

# What the steps share with the run, and with each other: made once, linked to afterwards.
SHARED = ("dataset", "train")
# And samples, of which the last run has others.
SAMPLES = "inputs"
# The step of a search of files that makes what the others share.
GIVEN = "given"
Recipes = Mapping[str, Way]
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
    """What a step's run holds of a candidate: the artifact and its folder, and its answers where there are any."""

    variant: Variant
    folder: Path
    answers: Answered | None

    @property
    def model(self) -> Path:
        """The .tflite file."""
        return self.folder / self.variant.model.path


class Runs:
    """The runs of one search. `make` is the command, `run` the folder of the experiment's own run, whose data set and
    training all steps share; `home` holds the steps. A search of files shares those of its first step."""

    def __init__(self, make: Sequence[str], experiment: LoadedExperiment, raw: bytes, run: Path) -> None:
        self._make = tuple(make)
        self._experiment = experiment
        self._table: dict[str, Any] = tomllib.loads(raw.decode("utf-8-sig"))
        self._run = run
        self._first: str | None = None
        self._files = experiment.settings.reference not in experiment.settings.recipes
        self.home = run / "search"

    def train(self, file: Path) -> None:
        """Have the data set and the trained network in the run's own folder. Raises EdgeproofError where make fails."""
        self._call("train", file, self._run)

    def ask(self) -> Made:
        """Have the reference of a search of files, and its answers to what is chosen on. Raises EdgeproofError where
        make fails."""
        self._write(GIVEN, {}, {})
        self._call("evaluate", self._file(GIVEN), self.folder(GIVEN))
        return self.reference(GIVEN)

    def build(self, name: str, recipes: Recipes, benchmark: Mapping[str, Any]) -> dict[str, Made]:
        """Make what can be made of these recipes, beside the reference. The step's experiment is then of those."""
        self._write(name, recipes, benchmark)
        goal = "evaluate" if self._files else "optimize"
        self._call(goal, self._file(name), self.folder(name), keep_going=True)
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
        self._share(name, SHARED)
        for one in made:
            # What is calibrated on samples hangs on those of this run, which hold the same ones for that.
            if self._experiment.settings.has_images or one.variant.given is None or not one.variant.given.is_calibrated:
                self._share_made(one.folder, name)
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

    def made(self, name: str, recipes: Recipes) -> dict[str, Made]:
        """What a step's folder holds of these very recipes; of files, what answers."""
        found = ((key, self._made(name, key), recipe) for key, recipe in recipes.items())
        return {
            key: one
            for key, one, recipe in found
            if one is not None and recipe in (one.variant.recipe, one.variant.given)
        }

    def reference(self, name: str) -> Made:
        """That of a step. Raises EdgeproofError where it was not made."""
        reference = self._experiment.settings.reference
        found = self._made(name, reference)
        if found is None:
            raise EdgeproofError(f"'{reference}' was not made", hint="see the messages above")
        return found

    def _made(self, name: str, key: str) -> Made | None:
        folder, asked = self.folder(name) / "variants" / key, self.folder(name) / "evaluation" / key
        if not (folder / "variant.json").is_file() or (self._files and not (asked / EVALUATION).is_file()):
            return None
        variant = read(folder / "variant.json", Variant)
        answers = answered(asked, self._experiment.settings) if self._files else variant.validation
        return Made(variant, folder, answers)

    def problem(self, name: str, candidate: str) -> str:
        """Why a candidate could not be made: the error in its step's log."""
        for log in sorted((self.folder(name) / "logs").glob(f"*{candidate}*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            if told:
                return told[-1]
        return "it could not be made"

    def text(self, recipes: Recipes, title: str, benchmark: Mapping[str, Any] | None = None) -> bytes:
        """An experiment as the search's own, of the reference and these recipes: a step where it has a `benchmark`,
        else what was found."""
        table = copy.deepcopy(self._table)
        reference = self._experiment.settings.reference
        table.pop("search", None)
        table["title"] = title
        data = self._experiment.settings.data
        if self._experiment.settings.has_images and data.source != table.get("data", {}).get("source"):
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
        if self._files:
            part = "judge" if benchmark is None else "choose"
            table.setdefault("evaluate", {})["part"] = part
        return tomli_w.dumps(table).encode()

    def write(self, file: Path, content: bytes) -> None:
        """Write an experiment unless it is there already."""
        if not file.is_file() or file.read_bytes() != content:
            write_bytes(file, content)

    def led_home(self, path: str) -> str:
        """A path that starts at the experiment's folder, as the steps' experiments name it, which lie elsewhere."""
        return path if Path(path).is_absolute() else os.path.relpath(self._experiment.folder / path, self.home)

    def _lead_home(self, table: dict[str, Any]) -> None:
        networks = [table["model"]] if "model" in table else []
        for making in table["variants"].values():
            networks += [one["student"] for one in making.get("passes", ()) if "student" in one]
        for network in networks:
            path = network.get("architecture", "")
            if Network.model_construct(architecture=path).is_file:
                network["architecture"] = self.led_home(path)
        # Candidates are named as they stand here.
        reference = table["variants"][self._experiment.settings.reference]
        named = ((reference, "file"), (table.get("inputs", {}), "source"))
        asked = table.get("evaluate", {})
        for place, key in (*named, (asked, "score"), (asked, "targets")):
            if place.get(key):
                place[key] = self.led_home(place[key])

    def _file(self, name: str) -> Path:
        return self.home / f"{name}.toml"

    def _write(self, name: str, recipes: Recipes, benchmark: Mapping[str, Any]) -> None:
        title = f"{self._experiment.settings.title}: search, {name}"
        self.write(self._file(name), self.text(recipes, title, benchmark))
        self._share(name, (*SHARED, SAMPLES))
        # The reference is made once.
        reference = self._experiment.settings.reference
        if self._first is not None:
            self._share_made(self.folder(self._first) / "variants" / reference, name)
            self._share_made(self.folder(self._first) / "evaluation" / reference, name)
        self._first = self._first or name

    def _share(self, name: str, parts: Sequence[str]) -> None:
        """The run's data set and training, or samples, in a step's folder, with the pieces of the plan that they were
        made by."""
        source = self.folder(GIVEN) if self._files else self._run
        if name == GIVEN:
            return
        for part in parts:
            linked(source / part, self.folder(name) / part)
            linked(source / "plan" / part, self.folder(name) / "plan" / part)

    def _share_made(self, made: Path, name: str) -> None:
        """What another step has made, in a folder of a folder."""
        part = Path(made.parent.name) / made.name
        linked(made, self.folder(name) / part)
        piece = Path("plan") / part
        linked(made.parent.parent / piece, self.folder(name) / piece)

    def _call(self, goal: str, file: Path, run: Path, *, keep_going: bool = False) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in OWN}
        at_once = min(MOST_AT_ONCE, os.cpu_count() or 1)
        options = ["--keep-going"] if keep_going else []
        # For files, what quantises them and no more.
        light = [f"LIGHT={FILES}"] if self._files else []
        argv = [*self._make, "-s", f"-j{at_once}", *options, goal, f"EXPERIMENT={file}", f"RUN={run}", *light]
        status = attended(argv, environment)
        if status and not keep_going:
            raise EdgeproofError(
                f"make {goal} of {file} failed", hint="the message above says why; make search goes on where it stopped"
            )


def recipe_table(recipe: Way) -> dict[str, Any]:
    """A recipe as it stands in an experiment: what differs from the defaults."""
    return recipe.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)


def raw_text(path: Path) -> bytes:
    """The experiment's text. Raises UsageError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"experiment {path} cannot be read: {error.strerror}") from None
