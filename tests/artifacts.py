"""Small, valid artifacts for tests, written through the same code as the stages' own."""

from pathlib import Path

import numpy as np

from common.artifact import file_ref, read, write_model
from common.experiment import LoadedExperiment, load
from common.proportion import wilson
from common.provenance import Recorder
from common.schema.dataset import Dataset, Duplicates, Split, SplitName
from common.schema.evaluation import Evaluation

EXPERIMENT = """
title = "Tiny"
seed = 7
[data]
height = 32
width = 32
[model]
batch_norm_momentum = 0.9
[train]
epochs = 2
batch_size = 16
learning_rate = 1e-3
[benchmark]
rounds = 2
most_rounds = 2
num_runs = 3
min_secs = 0.0
warmup_min_secs = 0.0
[variants.baseline]
convert = { format = "float32" }
[variants.dynamic_range]
convert = { format = "dynamic_range" }
[variants.float16]
convert = { format = "float16" }
[variants.int8]
passes = [{ pass = "merge_separable" }, { pass = "fold_batch_norm" }]
convert = { format = "int8", integer_io = true, calibration_images = 20 }
[variants.clustered]
passes = [{ pass = "cluster", clusters = 4, epochs = 1, initialization = "LINEAR" }]
convert = { format = "dynamic_range" }
[variants.pruned]
passes = [{ pass = "prune", sparsity = 0.5, frequency = 1, epochs = 1 }]
convert = { format = "dynamic_range" }
"""


def write_experiment(folder: Path, text: str = EXPERIMENT, name: str = "tiny") -> LoadedExperiment:
    """An experiment file in `folder`, loaded."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def write_dataset(
    folder: Path, experiment: LoadedExperiment, train: int = 64, validation: int = 32, test: int = 32
) -> Dataset:
    """Two classes that can be told apart: bright in the upper or in the lower half."""
    folder.mkdir(parents=True)
    size = experiment.settings.data.height
    (folder / "items.jsonl").write_text("", encoding="utf-8")
    (folder / "contact_sheet.png").write_bytes(b"")
    dataset = Dataset(
        provenance=Recorder("dataset", experiment).finish({}),
        source="test",
        source_kind="synthetic",
        classes=("lower", "upper"),
        height=size,
        width=size,
        items=file_ref(folder / "items.jsonl", folder),
        quarantine=(),
        duplicates=Duplicates(exact_dropped=0, near_groups=0, near_images=0, conflicting=()),
        colour_baseline=wilson(test // 2, test) if test else wilson(validation // 2, validation),
        contact_sheet=file_ref(folder / "contact_sheet.png", folder),
        decode_images_per_s=1.0,
        bad_share=0.0,
        train=_write_split(folder, "train", train, size),
        validation=_write_split(folder, "validation", validation, size),
        test=_write_split(folder, "test", test, size) if test else None,
    )
    write_model(folder / "dataset.json", dataset)
    return dataset


def _write_split(folder: Path, split: SplitName, count: int, size: int) -> Split:
    random = np.random.default_rng([count, size, *split.encode()])
    images = random.integers(0, 120, (count, size, size, 3), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int32) % 2
    images[labels == 1, : size // 2] += 100
    images[labels == 0, size // 2 :] += 100
    np.save(folder / f"{split}_images.npy", images)
    np.save(folder / f"{split}_labels.npy", labels)
    return Split(
        images=file_ref(folder / f"{split}_images.npy", folder),
        labels=file_ref(folder / f"{split}_labels.npy", folder),
        count=count,
        per_class=(int((labels == 0).sum()), int((labels == 1).sum())),
    )


def make_alive(evaluation: Path) -> None:
    """A little training leaves a file with one answer to every image, and such a file is never chosen; make the last
    answer differ by a hair."""
    outputs = np.load(evaluation / "outputs.npy")
    outputs[-1] *= 1.0001
    np.save(evaluation / "outputs.npy", outputs)
    found = read(evaluation / "evaluation.json", Evaluation)
    changed = found.model_copy(update={"outputs": file_ref(evaluation / "outputs.npy", evaluation)})
    write_model(evaluation / "evaluation.json", changed)
