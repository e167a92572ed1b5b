"""Whether a run's report follows from its artifacts: the results, and every file that is rendered of them.

    python -m jobs.report.follows --run runs/demo --experiment experiments/demo.toml

Reads   <run>/: every artifact, of the dataset the card, the list, the labels and the contact sheet; the templates
Writes  nothing; a line of JSON for everything that does not follow, and one at the end
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from common import cli
from common.artifact import as_json, content, read, read_hashed, verified
from common.experiment import LoadedExperiment
from common.experiment import load as load_experiment
from common.findings import differences, figures, tell_findings
from common.run.checks import check_choice
from common.run.layout import CHOICE, RESULTS, run_folders, targets_of
from common.run.read import Folders, Run, read_run
from common.schema.choice import Choice
from common.schema.evidence import Finding, Followed
from common.schema.results import Flip, Flips, Results
from jobs.report.collect import collect
from jobs.report.flips import flips
from jobs.report.stage import contact_sheet, rendered

NO_PICTURES = "the small pictures of {count} images: a bundle holds no images to make them from"


def follows(run: Path, experiment: LoadedExperiment) -> tuple[list[Finding], Followed]:
    """All that does not follow. Raises UsageError for a file that is missing or was changed."""
    stated = read(run / RESULTS, Results)
    folders = run_folders(run, experiment.settings, targets_of(stated))
    read_once = read_run(experiment, folders)
    found = list(unlike(stated, sources(read_once, folders, run)))
    sheet = None
    if folders.dataset is not None and read_once.dataset is not None:
        sheet = contact_sheet(verified(folders.dataset, read_once.dataset.contact_sheet))
    files = {file.name: file.content for file in rendered(stated, sheet)} | {"results.json": as_json(stated)}
    found += _files(run / "report", files)
    pictures = sum(flip.thumbnail is not None for each in stated.flips for flip in each.shown)
    notes = (NO_PICTURES.format(count=pictures),) if pictures else ()
    return found, Followed(what=f"{len(files)} files, byte for byte", figures=figures(stated), notes=notes)


@dataclass(frozen=True)
class Sources:
    """What the results are collected from: the artifacts, and the images whose answer changed, without pictures."""

    run: Run
    choice: Choice
    choice_sha256: str
    flips: tuple[Flips, ...]


def sources(read_once: Run, folders: Folders, run: Path) -> Sources:
    """Those of a run that was read."""
    choice, digest = read_hashed(run / CHOICE, Choice)
    check_choice(choice, read_once.inputs)
    return Sources(read_once, choice, digest, tuple(flips(read_once, folders, choice.best, pictures=False)))


def unlike(stated: Results, made: Sources) -> Iterator[Finding]:
    """How the results differ from what is collected again."""
    experiment = made.run.experiment
    if not stated.provenance:
        yield Finding(where="report/results.json: provenance", stated="empty", derived="that of every stage")
        return
    path = experiment_path(stated.reproduce, experiment.name)
    derived = collect(made.run, made.choice, _with_pictures(made.flips, stated.flips), path, stated.provenance[-1])
    # All of it is copied or written as it is: there is no last digit to differ.
    yield from differences("report/results.json: ", stated, derived, close=0)
    yield from _own(stated, made)


def experiment_path(reproduce: Sequence[str], name: str) -> str:
    """The experiment file as the commands of a results file call it, if they call it by its name; else that name."""
    words = [word for line in reproduce for word in _words(line) if word.startswith("EXPERIMENT=")]
    path = words[0].removeprefix("EXPERIMENT=") if words else ""
    return path if Path(path).name == f"{name}.toml" else f"{name}.toml"


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []


def _with_pictures(made: Sequence[Flips], stated: Sequence[Flips]) -> Iterator[Flips]:
    """What was made without pictures, with those that are stated for the same images."""
    known = {(each.variant, flip.file, flip.label): flip for each in stated for flip in each.shown}
    for each in made:
        shown = tuple(_with_picture(flip, known.get((each.variant, flip.file, flip.label))) for flip in each.shown)
        yield each.model_copy(update={"shown": shown})


def _with_picture(flip: Flip, stated: Flip | None) -> Flip:
    return flip if stated is None else flip.model_copy(update={"thumbnail": stated.thumbnail})


def _own(stated: Results, made: Sources) -> Iterator[Finding]:
    """The report's own manifest: of this experiment."""
    experiment = made.run.experiment
    own, where = stated.provenance[-1], "report/results.json: provenance of the report"
    yield from differences(f"{where}: stage", own.stage, "report")
    yield from differences(f"{where}: experiment", own.experiment, experiment.name)
    yield from differences(f"{where}: experiment_sha256", own.experiment_sha256, experiment.sha256)
    yield from differences(f"{where}: seed", own.seed, experiment.settings.seed)
    took_s = (own.finished_at - own.started_at).total_seconds()
    yield from differences(f"{where}: duration_s", own.duration_s, took_s, close=0)
    inputs = {item.role: item.sha256 for item in own.inputs}
    yield from differences(f"{where}: inputs", inputs, made.run.inputs | {"choice": made.choice_sha256})


def _files(folder: Path, files: dict[str, bytes]) -> Iterator[Finding]:
    """The report's folder beside what is rendered again."""
    there = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    for name in dict.fromkeys((*files, *there)):
        where = f"report/{name}"
        if name not in files:
            yield Finding(where=where, stated="there", derived="no such file")
        elif name not in there:
            yield Finding(where=where, stated="missing", derived=f"a file of {len(files[name]):,} bytes")
        elif (found := content(folder / name)) != files[name]:
            place = next((i for i, pair in enumerate(zip(found, files[name], strict=False)) if pair[0] != pair[1]), -1)
            place = min(len(found), len(files[name])) if place < 0 else place
            said = json.dumps(found[place : place + 30].decode("utf-8", "replace"))
            other = json.dumps(files[name][place : place + 30].decode("utf-8", "replace"))
            yield Finding(where=f"{where}, byte {place:,}", stated=said, derived=other)


def main(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
) -> None:
    """Collect and render the report again."""
    tell_findings(*follows(run, load_experiment(experiment)))


if __name__ == "__main__":
    cli.run(main)
