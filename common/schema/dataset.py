"""`dataset.json`: the dataset card.

Version history: 1 first; 2 adds `test`. Version 1, which had no test images, is still read.
"""

from typing import Literal

from pydantic import Field

from common.schema.base import Count, FileRef, Model, Proportion, Sha256, Share
from common.schema.provenance import Artifact

SplitName = Literal["train", "validation", "test"]
# The splits that figures may be reported on.
Reported = Literal["validation", "test"]


class Item(Model):
    """One line of `items.jsonl`: an image that was used. `index` is its row in its split's arrays.

    `group` numbers the near-duplicate group; all of a group are in one split.
    """

    file: str
    sha256: Sha256
    label: Count
    split: SplitName
    index: Count
    group: Count


class Quarantined(Model):
    """A file that was left out, and why."""

    file: str
    reason: str


class Split(Model):
    """Arrays of one split: `images` uint8 [n, height, width, 3] RGB, `labels` int32 [n]; `.npy`."""

    images: FileRef
    labels: FileRef
    count: Count
    per_class: tuple[Count, ...]


class Duplicates(Model):
    """What the duplicate search found. `exact_dropped` copies were left out, near ones kept together.

    `conflicting` lists exact copies that lay in more than one class.
    """

    exact_dropped: Count
    near_groups: Count
    near_images: Count
    conflicting: tuple[str, ...]


class Dataset(Artifact):
    """The card. Everything that chooses (the epoch, the gate of the optimise stage) looks at `validation`,
    everything that is reported at `test`; None where the experiment keeps no test images, and then at
    `validation` too.

    `colour_baseline` is the accuracy of a logistic regression on colour histograms, on the reported
    split: what can be had without looking at shape.
    """

    schema_version: Literal[1, 2] = 2
    source: str
    source_kind: Literal["folder", "archive", "url", "synthetic"]
    classes: tuple[str, ...]
    height: int
    width: int
    train: Split
    validation: Split
    test: Split | None = None
    items: FileRef
    quarantine: tuple[Quarantined, ...]
    duplicates: Duplicates
    colour_baseline: Proportion
    contact_sheet: FileRef
    decode_images_per_s: float = Field(ge=0)
    bad_share: Share

    @property
    def reported(self) -> Reported:
        """The split that every reported figure is of."""
        return "validation" if self.test is None else "test"

    @property
    def splits(self) -> tuple[tuple[SplitName, Split], ...]:
        """The splits that there are, each with its name."""
        both: tuple[tuple[SplitName, Split], ...] = (("train", self.train), ("validation", self.validation))
        return both if self.test is None else (*both, ("test", self.test))
