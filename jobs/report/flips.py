"""The images whose answer changed between the reference and the recommended variant, with small pictures of some."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import ValidationError

from common.arrays import load
from common.artifact import verified
from common.dataset import read_labels, read_split
from common.errors import UsageError
from common.run.read import Folders, Run
from common.schema.dataset import Dataset, Item, SplitName
from common.schema.evaluation import Evaluation
from common.schema.results import THUMBNAIL, Flip, Flips

# Of either kind: a page of more shows nothing that these do not.
MOST_SHOWN = 12
JPEG_QUALITY = 70
# A thumbnail's place in the results file, as base64.
MOST_BYTES = 6000
# A line of items.jsonl: a path and some numbers.
MOST_LINE_BYTES = 1 << 16
Answers = npt.NDArray[np.intp]


def flips(run: Run, folders: Folders, best: str | None, *, pictures: bool = True) -> Iterator[Flips]:
    """Counts for every variant that was compared; images for the `best` one alone, where its data set is there, with
    `pictures` of them where its arrays are.

    Raises UsageError when an array is missing or was changed.
    """
    by_name = {evaluation.variant: evaluation for evaluation in run.evaluations}
    own = by_name.get(run.experiment.settings.reference)
    for name, evaluation in by_name.items():
        if evaluation.mcnemar is None:
            continue
        shown: tuple[Flip, ...] = ()
        if name == best and own is not None and run.dataset is not None and folders.dataset is not None:
            shown = tuple(_shown(run.dataset, folders, own, evaluation, pictures=pictures))
        test = evaluation.mcnemar
        yield Flips(variant=name, won=test.only_variant_right, lost=test.only_reference_right, shown=shown)


def _shown(card: Dataset, folders: Folders, own: Evaluation, other: Evaluation, *, pictures: bool) -> Iterator[Flip]:
    dataset, looked = folders.dataset, folders.evaluations
    if dataset is None:
        return
    images = read_split(dataset, card, other.split)[0] if pictures else None
    labels = read_labels(dataset, card, other.split)
    mine, theirs = _answers(looked, own), _answers(looked, other)
    if not len(labels) == len(mine) == len(theirs):
        raise UsageError(f"the answers of {other.variant} are not to the images of {dataset}", hint="evaluate again")
    lost = np.flatnonzero((mine == labels) & (theirs != labels))[:MOST_SHOWN]
    won = np.flatnonzero((mine != labels) & (theirs == labels))[:MOST_SHOWN]
    names = _names(dataset, card, other.split, [int(place) for place in (*lost, *won)])
    for place in (*lost, *won):
        yield Flip(
            file=names.get(int(place), ""),
            label=int(labels[place]),
            reference_answer=int(mine[place]),
            variant_answer=int(theirs[place]),
            thumbnail=None if images is None else _thumbnail(images[place]),
        )


def _answers(looked: Path, evaluation: Evaluation) -> Answers:
    shape = (evaluation.count, len(evaluation.classes))
    outputs: npt.NDArray[np.float32] = load(looked / evaluation.variant, evaluation.outputs, np.float32, shape)
    answers: Answers = outputs.argmax(axis=1)
    return answers


def _names(dataset: Path, card: Dataset, split: SplitName, places: Sequence[int]) -> dict[int, str]:
    """The files of some images of a split, by their rows."""
    wanted, found, path = set(places), {}, verified(dataset, card.items)
    with path.open("rb") as stream:
        for line in iter(lambda: stream.readline(MOST_LINE_BYTES), b""):
            try:
                item = Item.model_validate_json(line)
            except ValidationError:
                raise UsageError(f"{path} has a line that is no item", hint="make the dataset again") from None
            if item.split == split and item.index in wanted:
                found[item.index] = item.file
    return found


def _thumbnail(pixels: npt.NDArray[np.uint8]) -> str | None:
    """JPEG in base64; None in the unlikely case that even a small picture is large."""
    picture = Image.fromarray(np.asarray(pixels))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    content = buffer.getvalue()
    return b64encode(content).decode() if len(content) <= MOST_BYTES else None
