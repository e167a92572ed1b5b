"""Split an experiment into the pieces that its artifacts depend on. Each has the artifact's path below the run."""

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from common.adb.names import joined
from common.artifact import sha256_file
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.model_file import given_path, model_inputs
from common.schema.experiment import Data, Experiment, Making
from common.schema.given import FromFile, FromKeras, GivenFile
from common.schema.recipe import Recipe
from common.schema.source import is_local
from common.source import local_path
from jobs.plan.places import HERE, Place

DATASET, TRAINING, SAMPLES = "dataset/dataset.json", "train/training.json", "inputs/inputs.json"
# What make reads as text: nothing in it means anything to make or to a shell.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+@,:%[]")
# A serial is any text: one word for the shell, in which make expands nothing. graph.mk has the variable HASH, because
# what \# means depends on what stands before it.
FOR_MAKE = str.maketrans({"$": "$$", "#": "$(HASH)"})


@dataclass(frozen=True)
class Made:
    """What makes a stage's artifacts: hashes of its code and of its image's lock file."""

    code: str = ""
    lock: str = ""


def pieces(
    experiment: LoadedExperiment, made: Mapping[str, Made], places: Sequence[Place] = (HERE,)
) -> dict[str, bytes]:
    """A piece per artifact: equal pieces and equal inputs give an equal artifact. `made` is by stage.

    Raises UsageError when a local data source or a model file is missing.
    """
    return dict(_pieces(experiment, made, places))


def _pieces(
    experiment: LoadedExperiment, made: Mapping[str, Made], places: Sequence[Place]
) -> Iterator[tuple[str, bytes]]:
    settings = experiment.settings
    seed = {"seed": settings.seed}
    yield _asked(experiment, made, seed)
    if settings.recipes:
        state = model_inputs("model_sha256", settings.model, experiment.folder)
        yield TRAINING, _dump(made["train"], {**seed, **state}, model=settings.model, train=settings.train)
    score = _file_sha256(experiment.folder, settings.evaluate.score)
    for name, making in settings.variants.items():
        yield f"variants/{name}/variant.json", _variant(experiment, making, made, seed)
        judged = {"reference": settings.reference, "score_sha256": score, "seed": settings.seed, **_part(settings)}
        yield f"evaluation/{name}/evaluation.json", _dump(made["evaluate"], judged, shape=settings.inputs)
    names = {"reference": settings.reference, "variants": list(settings.variants)}
    for place in places:
        there = {"device": place.serial, "facts": place.facts, "tools": place.tools}
        piece = _dump(made["benchmark"], {**seed, **names, **there}, benchmark=settings.benchmark)
        yield f"benchmark/{place.name}/benchmark.json", piece
    targets = [place.serial for place in places]
    yield "best/choice.json", _dump(made["choose"], {"targets": targets, **names}, choose=settings.choose)
    yield "report/results.json", _dump(made["report"], {"title": settings.title, "targets": targets, **names})


def _asked(experiment: LoadedExperiment, made: Mapping[str, Made], seed: Mapping[str, object]) -> tuple[str, bytes]:
    """The images, or the samples of models that have none."""
    settings, folder = experiment.settings, experiment.folder
    if settings.has_images:
        state = {"source_state": source_state(settings.data)}
        return DATASET, _dump(made["dataset"], {**seed, **state}, data=settings.data)
    files = {"source": settings.inputs.source, "targets": settings.evaluate.targets}
    states = {f"{what}_state": files_state(folder / path) for what, path in files.items() if path}
    named = {"reference": settings.reference, "targets": settings.evaluate.targets, **_part(settings)}
    return SAMPLES, _dump(made["inputs"], {**seed, **named, **states}, inputs=settings.inputs)


def _part(settings: Experiment) -> dict[str, object]:
    """Of a search; a run without parts has the pieces that it had."""
    return {} if settings.evaluate.part is None else {"part": settings.evaluate.part}


def _variant(
    experiment: LoadedExperiment, making: Making, made: Mapping[str, Made], seed: Mapping[str, object]
) -> bytes:
    if isinstance(making, Recipe):
        # Fine-tuning uses the training's loss, batch size and class weights; the training's piece covers those.
        student = making.student
        state = {} if student is None else model_inputs("student_sha256", student, experiment.folder)
        return _dump(made["optimize"], {**seed, **state}, recipe=making)
    file = {"model_sha256": sha256_file(given_path(making, experiment.folder))}
    if isinstance(making, GivenFile):
        return _dump(made["adopt"], file, given=making, inputs=experiment.settings.inputs)
    stage = "export" if isinstance(making, FromKeras) else "quantize"
    return _dump(made[stage], {**seed, **file}, given=making, inputs=experiment.settings.inputs)


def _file_sha256(folder: Path, path: str | None) -> str | None:
    if path is None:
        return None
    if not (folder / path).is_file():
        raise UsageError(
            f"score file {folder / path} does not exist", hint="its path starts at the experiment's folder"
        )
    return sha256_file(folder / path)


def _dump(made: Made, plain: Mapping[str, object], **models: BaseModel) -> bytes:
    table = {"code": made.code, "lock": made.lock, **plain}
    table |= {key: model.model_dump(mode="json", by_alias=True) for key, model in models.items()}
    return (json.dumps(table, indent=2, sort_keys=True) + "\n").encode()


def names(experiment: LoadedExperiment, places: Sequence[Place], stale: Sequence[str]) -> str:
    """The names that the graph is made of, as assignments of make.

    `stale` are artifacts, as paths below the run, that must be made anew whatever their times say.
    SERIALS is one word for the shell.
    """
    settings = experiment.settings
    kinds = {Recipe: "RECIPES", GivenFile: "FILES", FromFile: "FROM", FromKeras: "EXPORTED"}
    made = {word: tuple(n for n, m in settings.variants.items() if isinstance(m, kind)) for kind, word in kinds.items()}
    lines = {
        "VARIANTS": tuple(settings.variants),
        **made,
        "CALIBRATED": settings.calibrated,
        "IMAGES": ("yes",) if settings.has_images else (),
        "REFERENCE": (settings.reference,),
        "TARGETS": tuple(place.name for place in places),
        "STALE": tuple(stale),
    }
    for word in (word for words in lines.values() for word in words):
        if not word or not set(word) <= PLAIN:
            raise EdgeproofError(f"{word!a} cannot be a name in the graph", hint="use letters, digits and any of ._-")
    plain = "".join(f"{name} := {' '.join(words)}\n" for name, words in lines.items())
    return plain + serials_for_make([place.serial for place in places])


def serials_for_make(serials: Sequence[str]) -> str:
    """The list as one word for the shell, whatever it holds."""
    return f"SERIALS := {shlex.quote(joined(serials)).translate(FOR_MAKE)}\n"


def source_state(data: Data) -> str:
    """A hash that changes when a local source's files change; a word for other sources.
    Raises UsageError when a local source is missing."""
    return files_state(local_path(data.source)) if is_local(data.source) else "not a local source"


def files_state(root: Path) -> str:
    """A hash that changes when a file, or any file of a folder, changes. Raises UsageError when it is missing.

    Names, sizes and modification times: reading every one would take longer than the no-op.
    """
    if not root.exists():
        raise UsageError(f"{root} does not exist", hint="its path starts at the experiment file's folder")
    digest = hashlib.sha256()
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        status = path.lstat()
        digest.update(f"{path.relative_to(root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "replace"))
    return digest.hexdigest()
