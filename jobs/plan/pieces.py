"""Split an experiment into the pieces that its stages depend on."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from common.adb.names import safe_name
from common.artifact import write_bytes
from common.experiment import LoadedExperiment
from common.schema.experiment import SYNTHETIC, Data

MAKEFILE = "plan.mk"
# Holds the path of a local data source, which Make may only pass on quoted; else it is empty.
SOURCE = "source"


def write_plan(experiment: LoadedExperiment, output: Path, devices: Sequence[str] = ("host",)) -> None:
    """Write a file per stage and variant into `output`, and `plan.mk` with the names that Make needs.

    A file is replaced only when its content changed, so that Make rebuilds what depends on the
    change and nothing else. Pieces of variants that are gone are removed.
    """
    wanted = {output / name: content for name, content in _files(experiment, devices)}
    for path in (output / "variants").glob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:
            write_bytes(path, content)


def _files(experiment: LoadedExperiment, devices: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    settings = experiment.settings
    common = {"seed": settings.seed}
    data = settings.data
    yield "dataset.json", _dump(common, data=data) + source_state(data).encode() + b"\n"
    yield "train.json", _dump(common, model=settings.model, train=settings.train)
    for name, recipe in settings.variants.items():
        # Fine-tuning uses the training's loss, batch size and class weights; train.json covers those.
        yield f"variants/{name}.json", _dump(common, recipe=recipe)
    names = {"reference": settings.reference, "variants": list(settings.variants)}
    yield "evaluate.json", _dump({"reference": settings.reference})
    yield "benchmark.json", _dump({**common, **names}, benchmark=settings.benchmark)
    yield "report.json", _dump({"title": settings.title, "targets": list(devices), **names})
    yield SOURCE, data.source.encode() if _is_local(data) else b""
    yield MAKEFILE, _makefile(experiment, devices).encode()


def _dump(plain: Mapping[str, object], **models: BaseModel) -> bytes:
    table = {**plain, **{key: model.model_dump(mode="json", by_alias=True) for key, model in models.items()}}
    return (json.dumps(table, indent=2, sort_keys=True) + "\n").encode()


def _makefile(experiment: LoadedExperiment, devices: Sequence[str]) -> str:
    # Names match [A-Za-z0-9._-]+, so nothing in them means anything to Make or a shell.
    names = " ".join(experiment.settings.variants)
    data = experiment.settings.data
    targets = " ".join(safe_name(device) for device in devices)
    outputs = "yes" if experiment.settings.benchmark.outputs_images else ""
    return (
        f"VARIANTS := {names}\nREFERENCE := {experiment.settings.reference}\n"
        f"TARGETS := {targets}\nANSWERS := {outputs}\n"
        f"LOCAL_DATA := {'yes' if _is_local(data) else ''}\nREMOTE_DATA := {'yes' if '://' in data.source else ''}\n"
    )


def _is_local(data: Data) -> bool:
    return data.source != SYNTHETIC and "://" not in data.source


def source_state(data: Data) -> str:
    """A hash that changes when a local source's files change; a word for other sources.

    Names, sizes and modification times: reading every image would take longer than the no-op.
    """
    if not _is_local(data):
        return "not a local source"
    root = Path(data.source)
    digest = hashlib.sha256()
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        status = path.lstat()
        digest.update(f"{path.relative_to(root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "replace"))
    return digest.hexdigest()
