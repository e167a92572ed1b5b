"""Split an experiment into the pieces that its stages depend on."""

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from common.adb.names import safe_name
from common.artifact import write_bytes
from common.experiment import LoadedExperiment
from common.model_file import model_file, model_inputs
from common.schema.experiment import Data
from common.schema.network import Network
from common.schema.source import is_local, is_url, public
from common.source import local_path

MAKEFILE = "plan.mk"
DATASET = "dataset.json"
# Holds the path of a local data source, which Make may only pass on quoted; else it is empty.
SOURCE = "source"
# Likewise the path of the network's file; those of students lie in students/<variant>.
MODEL = "model"


def write_plan(experiment: LoadedExperiment, output: Path, devices: Sequence[str] = ("host",)) -> str | None:
    """Write a file per stage and variant into `output`, and `plan.mk` with the names that Make needs.

    A file is replaced only when its content changed, so that Make rebuilds what depends on the
    change and nothing else. Pieces of variants that are gone are removed. Returns what the user should
    know of first: that the run gets other images. Raises UsageError, and writes nothing, when a local
    data source is missing.
    """
    wanted = {output / name: content for name, content in _files(experiment, devices)}
    notice = _other_data(output / DATASET, experiment.settings.data)
    for path in (output / "variants").glob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:
            write_bytes(path, content)
    return notice


def _other_data(piece: Path, data: Data) -> str | None:
    """A sentence when the plan `piece` was made with another data source."""
    try:
        planned, _ = json.JSONDecoder().raw_decode(piece.read_text(encoding="utf-8"))
        before = Data.model_validate(planned["data"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if before.source == data.source:
        return None
    old, new = (shlex.quote(public(s) if is_url(s) else s) for s in (before.source, data.source))
    keep = f"DATA={old} DATA_SHA256={before.sha256}" if before.sha256 else f"DATA={old}"
    return f"note: the data source changes from {old} to {new}: everything is made anew ({keep} keeps it)"


def _files(experiment: LoadedExperiment, devices: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    settings = experiment.settings
    common = {"seed": settings.seed}
    data = settings.data
    yield DATASET, _dump(common, data=data) + source_state(data).encode() + b"\n"
    state = model_inputs("model_sha256", settings.model, experiment.folder)
    yield "train.json", _dump({**common, **state}, model=settings.model, train=settings.train)
    yield MODEL, _path(settings.model, experiment)
    for name, recipe in settings.variants.items():
        # Fine-tuning uses the training's loss, batch size and class weights; train.json covers those.
        student = recipe.student
        state = {} if student is None else model_inputs("student_sha256", student, experiment.folder)
        yield f"variants/{name}.json", _dump({**common, **state}, recipe=recipe)
        if student is not None and student.is_file:
            yield f"students/{name}", _path(student, experiment)
    names = {"reference": settings.reference, "variants": list(settings.variants)}
    yield "evaluate.json", _dump({"reference": settings.reference})
    yield "benchmark.json", _dump({**common, **names}, benchmark=settings.benchmark)
    # Where several devices were measured, the first decides.
    yield "choose.json", _dump({"targets": list(devices), **names}, choose=settings.choose)
    yield "report.json", _dump({"title": settings.title, "targets": list(devices), **names})
    yield SOURCE, data.source.encode() if is_local(data.source) else b""
    yield MAKEFILE, _makefile(experiment, devices).encode()


def _dump(plain: Mapping[str, object], **models: BaseModel) -> bytes:
    table = {**plain, **{key: model.model_dump(mode="json", by_alias=True) for key, model in models.items()}}
    return (json.dumps(table, indent=2, sort_keys=True) + "\n").encode()


def _path(network: Network, experiment: LoadedExperiment) -> bytes:
    path = model_file(network, experiment.folder)
    return b"" if path is None else str(path).encode()


def _makefile(experiment: LoadedExperiment, devices: Sequence[str]) -> str:
    # Names match [A-Za-z0-9._-]+, so nothing in them means anything to Make or a shell.
    names = " ".join(experiment.settings.variants)
    source, model = experiment.settings.data.source, experiment.settings.model
    recipes = experiment.settings.variants.items()
    students = [name for name, recipe in recipes if recipe.student is not None and recipe.student.is_file]
    targets = " ".join(safe_name(device) for device in devices)
    answers = "yes" if experiment.settings.benchmark.outputs_images else ""
    return (
        f"VARIANTS := {names}\nREFERENCE := {experiment.settings.reference}\n"
        f"LOCAL_DATA := {'yes' if is_local(source) else ''}\nREMOTE_DATA := {'yes' if is_url(source) else ''}\n"
        f"TARGETS := {targets}\nANSWERS := {answers}\n"
        f"STUDENTS := {' '.join(students)}\n"
        f"MODEL_FILE := {'yes' if model.is_file else ''}\n"
    )


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
