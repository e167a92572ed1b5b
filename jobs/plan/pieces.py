"""Split an experiment into the pieces that its artifacts depend on. Each has the artifact's path below the run."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.model_file import model_inputs
from common.schema.experiment import Data
from common.schema.source import is_local
from common.source import local_path
from jobs.plan.places import HERE, Place

DATASET = "dataset/dataset.json"
# What make reads as text: nothing in it means anything to make or to a shell.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+@,:%[]")


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
    settings, folder = experiment.settings, experiment.folder
    seed = {"seed": settings.seed}
    state = {"source_state": source_state(settings.data)}
    yield DATASET, _dump(made["dataset"], {**seed, **state}, data=settings.data)
    state = model_inputs("model_sha256", settings.model, folder)
    yield "train/training.json", _dump(made["train"], {**seed, **state}, model=settings.model, train=settings.train)
    for name, recipe in settings.variants.items():
        # Fine-tuning uses the training's loss, batch size and class weights; the training's piece covers those.
        state = {} if recipe.student is None else model_inputs("student_sha256", recipe.student, folder)
        yield f"variants/{name}/variant.json", _dump(made["optimize"], {**seed, **state}, recipe=recipe)
        reference = {"reference": settings.reference}
        yield f"evaluation/{name}/evaluation.json", _dump(made["evaluate"], reference)
    names = {"reference": settings.reference, "variants": list(settings.variants)}
    for place in places:
        there = {"device": place.serial, "facts": place.facts, "tools": place.tools}
        piece = _dump(made["benchmark"], {**seed, **names, **there}, benchmark=settings.benchmark)
        yield f"benchmark/{place.name}/benchmark.json", piece
    targets = [place.serial for place in places]
    yield "best/choice.json", _dump(made["choose"], {"targets": targets, **names}, choose=settings.choose)
    yield "report/results.json", _dump(made["report"], {"title": settings.title, "targets": targets, **names})


def _dump(made: Made, plain: Mapping[str, object], **models: BaseModel) -> bytes:
    table = {"code": made.code, "lock": made.lock, **plain}
    table |= {key: model.model_dump(mode="json", by_alias=True) for key, model in models.items()}
    return (json.dumps(table, indent=2, sort_keys=True) + "\n").encode()


def names(experiment: LoadedExperiment, places: Sequence[Place], stale: Sequence[str]) -> str:
    """The names that the graph is made of, as assignments of make.

    `stale` are artifacts, as paths below the run, that must be made anew whatever their times say.
    """
    settings = experiment.settings
    lines = {
        "VARIANTS": tuple(settings.variants),
        "REFERENCE": (settings.reference,),
        "TARGETS": tuple(place.name for place in places),
        "SERIALS": tuple(place.serial for place in places),
        "STALE": tuple(stale),
    }
    for word in (word for words in lines.values() for word in words):
        if not word or not set(word) <= PLAIN:
            raise EdgeproofError(f"{word!a} cannot be a name in the graph", hint="use letters, digits and any of ._-")
    return "".join(f"{name} := {' '.join(words)}\n" for name, words in lines.items())


def source_state(data: Data) -> str:
    """A hash that changes when a local source's files change; a word for other sources.
    Raises UsageError when a local source is missing.

    Names, sizes and modification times: reading every image would take longer than the no-op.
    """
    if not is_local(data.source):
        return "not a local source"
    root = local_path(data.source)
    digest = hashlib.sha256()
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        status = path.lstat()
        digest.update(f"{path.relative_to(root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "replace"))
    return digest.hexdigest()
