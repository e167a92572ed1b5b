"""A run on disk, as the other stages leave it, small enough to be written for every test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.artifact import file_ref, sha256_file, write_model
from common.experiment import LoadedExperiment
from common.run.judge import judge
from common.run.read import Folders, read_run
from common.schema.base import Model
from common.schema.dataset import Dataset, Item
from common.schema.provenance import InputRef
from tests.artifacts import write_experiment
from tests.unit.report import factories as f
from tests.unit.report.browser import Browser, opened

EXPERIMENT = """
title = "Tiny"
[data]
source = "photos"
[variants.baseline]
convert = { format = "float32" }
[variants.float16]
convert = { format = "float16" }
"""


@dataclass(frozen=True)
class Run:
    """Folders of a run of two variants."""

    folder: Path
    experiment: LoadedExperiment
    folders: Folders

    @property
    def choice(self) -> Path:
        """The folder of the choice."""
        return self.folder / "best"

    @property
    def path(self) -> Path:
        """The experiment file."""
        return self.folder / "tiny.toml"

    @property
    def arguments(self) -> list[str]:
        """The command line that reports it."""
        pairs = {
            "--experiment": self.path,
            "--dataset": self.folders.dataset,
            "--training": self.folders.training,
            "--variants": self.folders.variants,
            "--evaluations": self.folders.evaluations,
            "--benchmark": self.folders.benchmarks[0],
            "--choice": self.choice,
        }
        return [str(part) for pair in pairs.items() for part in pair]


def write(path: Path, model: Model) -> None:
    """A stage's JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, model)


SIDE = 8


def with_images(folder: Path, card: Dataset) -> Dataset:
    """The card with real arrays of its validation images, 8 pixels wide and high, beside its contact sheet."""
    split = card.validation
    labels = np.repeat(np.arange(len(card.classes)), split.per_class).astype(np.int32)
    np.save(folder / "images.npy", np.random.default_rng(0).integers(0, 256, (split.count, SIDE, SIDE, 3), np.uint8))
    np.save(folder / "labels.npy", labels)
    items = [
        Item(file=f"{i}<b>.png", sha256=f.SHA, label=int(label), split="validation", index=i, group=i)
        for i, label in enumerate(labels)
    ]
    (folder / "items.jsonl").write_text("".join(f"{x.model_dump_json()}\n" for x in items), encoding="utf-8")
    images, named = file_ref(folder / "images.npy", folder), file_ref(folder / "labels.npy", folder)
    changes: dict[str, object] = {
        "contact_sheet": file_ref(folder / "contact_sheet.jpg", folder),
        "validation": split.model_copy(update={"images": images, "labels": named}),
        "items": file_ref(folder / "items.jsonl", folder),
        "height": SIDE,
        "width": SIDE,
    }
    return card.model_copy(update=changes)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    experiment = write_experiment(tmp_path, EXPERIMENT)
    folders = Folders(
        tmp_path / "dataset",
        tmp_path / "train",
        tmp_path / "variants",
        tmp_path / "evaluation",
        (tmp_path / "benchmark" / "host",),
    )
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    Image.new("RGB", (8, 8)).save(dataset / "contact_sheet.jpg")
    write(dataset / "dataset.json", with_images(dataset, f.dataset()))
    used = sha256_file(dataset / "dataset.json")
    trained = f.training().model_copy(update={"provenance": f.provenance("train", dataset=used)})
    write(tmp_path / "train" / "training.json", trained)
    training = sha256_file(tmp_path / "train" / "training.json")
    rows = []
    for name, recipe in experiment.settings.recipes.items():
        folder = folders.variants / name
        folder.mkdir(parents=True)
        (folder / f"{name}.tflite").write_bytes(name.encode())
        model = file_ref(folder / f"{name}.tflite", folder)
        manifest = f.provenance("optimize", dataset=used, training=training)
        made = f.variant(name, recipe).model_copy(update={"model": model, "provenance": manifest})
        write(folder / "variant.json", made)
        inputs = f.provenance("evaluate", dataset=used, model=model.sha256)
        changes: dict[str, object] = {"model_sha256": model.sha256, "provenance": inputs}
        looked = folders.evaluations / name
        looked.mkdir(parents=True)
        np.save(looked / "outputs.npy", f.answers(f.evaluation(name, 290)))
        changes["outputs"] = file_ref(looked / "outputs.npy", looked)
        write(looked / "evaluation.json", f.evaluation(name, 290).model_copy(update=changes))
        rows.append(f.row(name, f.summary(100, None if name == "baseline" else 120), sha256=model.sha256))
    f.write_benchmark(folders.benchmarks[0], f.benchmark(rows))
    given = Run(tmp_path, experiment, folders)
    write_choice(given)
    return given


def write_choice(given: Run) -> None:
    """A choice of this run, with what the judge says of it."""
    read = read_run(given.experiment, given.folders)
    judgement = judge(read.evidence)
    sizes = {variant.name: variant.model.size_bytes for variant in read.variants}
    inputs = tuple(InputRef(role=role, sha256=sha256) for role, sha256 in read.inputs.items())
    manifest = f.provenance("choose").model_copy(update={"inputs": inputs})
    standing = f.choice().standings[0]
    standings = tuple(
        standing.model_copy(
            update={"candidate": standing.candidate.model_copy(update={"name": name}), "eligible": True}
        )
        for name in sizes
    )
    changes = {"judgement": judgement, "provenance": manifest, "standings": standings}
    changes |= {"best": "float16", "smallest": "float16", "fastest": "float16"}
    write(given.choice / "choice.json", f.choice().model_copy(update=changes))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process: it takes a second to begin."""
    with opened() as browser:
        yield browser
