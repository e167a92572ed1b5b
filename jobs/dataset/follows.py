"""Whether a data set's counts and labels follow from its list of images. No image is looked at.

    python -m jobs.dataset.follows --run runs/demo --experiment experiments/demo.toml

Reads   <run>/dataset/: the card, the list of images and the labels of the reported split
Writes  nothing; a line of JSON for everything that does not follow, and one at the end
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import ValidationError

from common import cli
from common.artifact import verified
from common.dataset import read_card, read_labels
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.experiment import load as load_experiment
from common.findings import differences, figures, tell_findings
from common.schema.dataset import Dataset, Item
from common.schema.evidence import Finding, Followed

# A line of items.jsonl: a path and some numbers.
MOST_LINE_BYTES = 1 << 16
TAKEN = "images themselves: their hashes are in the list, and colour alone, copies and what was left out as they stand"


def follows(run: Path, experiment: LoadedExperiment) -> tuple[list[Finding], Followed]:
    """All that does not follow. Raises UsageError for a file that is missing or was changed."""
    if not experiment.settings.has_images:
        return [], Followed(what="no data set", figures=0)
    card = read_card(run / "dataset")
    items = list(_items(verified(run / "dataset", card.items)))
    found = list(_unlike(card, items))
    labels = read_labels(run / "dataset", card, card.reported)
    listed = {item.index: item.label for item in items if item.split == card.reported}
    derived = np.array([listed.get(row, -1) for row in range(len(labels))])
    for row in np.flatnonzero(derived != labels).tolist():
        where = f"dataset: the label of {card.reported} image {row}"
        found.append(Finding(where=where, stated=str(labels[row]), derived=str(derived[row])))
    told = figures([split.per_class for _, split in card.splits]) + len(labels)
    return found, Followed(what=f"{len(items):,} images of the list counted again", figures=told, notes=(TAKEN,))


def _unlike(card: Dataset, items: Sequence[Item]) -> Iterator[Finding]:
    """How the card differs from the list of images."""
    for name, split in card.splits:
        labels = [item.label for item in items if item.split == name]
        where = f"dataset/dataset.json: {name}"
        counts = Counter(labels)
        derived = tuple(counts[label] for label in range(len(card.classes)))
        yield from differences(f"{where}.per_class", split.per_class, derived)
        yield from differences(f"{where}.count", split.count, len(labels))
    sizes = Counter(item.group for item in items)
    near = [size for size in sizes.values() if size > 1]
    told = {"near_groups": len(near), "near_images": sum(near)}
    yield from differences("dataset/dataset.json: duplicates", card.duplicates, card.duplicates.model_copy(update=told))


def _items(path: Path) -> Iterator[Item]:
    with path.open("rb") as stream:
        for line in iter(lambda: stream.readline(MOST_LINE_BYTES), b""):
            try:
                yield Item.model_validate_json(line)
            except ValidationError:
                raise UsageError(f"{path} has a line that is no item", hint="make the dataset again") from None


def main(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
) -> None:
    """Count the images again."""
    tell_findings(*follows(run, load_experiment(experiment)))


if __name__ == "__main__":
    cli.run(main)
