"""The dataset stage: a source of images to arrays, a split and a card."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.artifact import atomic, file_ref, require_apart, write_bytes, write_model, writing
from common.dataset import CARD
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.provenance import Recorder
from common.schema.base import Proportion
from common.schema.dataset import Dataset, Duplicates, Item, Split, SplitName
from common.schema.experiment import Data
from common.schema.source import is_local
from jobs.dataset.colour import colour_baseline
from jobs.dataset.contact import Strip, contact_sheet, per_class
from jobs.dataset.duplicates import Copy, Exact, drop_copies, near_groups
from jobs.dataset.ingest import Ingested, Record, ingest
from jobs.dataset.size import sized
from jobs.dataset.sources import Source, open_source
from jobs.dataset.split import Shares, divide, groups_of

PACKAGES = ("numpy", "pillow", "scikit-learn", "scipy", "imagehash")
# What images of a split are for.
WORDS: dict[SplitName, str] = {"train": "training", "validation": "validation", "test": "test"}
# Bad files that an error message names.
NAMED_BAD_FILES = 3


@dataclass(frozen=True)
class _Part:
    """One of the splits: its records in the order of its arrays, int32 labels, group numbers."""

    name: SplitName
    records: Sequence[Record]
    labels: npt.NDArray[np.int32]
    groups: npt.NDArray[np.int64]


def build_dataset(experiment: LoadedExperiment, output: Path, like: Path | None = None) -> Dataset:
    """Read the experiment's images and write `output`: arrays, items, contact sheet, card. `like` is the folder of a
    variant whose input says how large the images are, where the experiment does not.

    Raises UsageError for a source that cannot be used, EdgeproofError when more than the allowed
    share of its files is bad; neither touches what an earlier run wrote.
    """
    recorder = Recorder("dataset", experiment)
    settings, seed = sized(experiment.settings.data, like), experiment.settings.seed
    if is_local(settings.source) and Path(settings.source).is_dir():
        require_apart(output, Path(settings.source))
    output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings, seed, output))
        ingested = stack.enter_context(ingest(source, settings.height, settings.width, output))
        _refuse_bad(ingested, settings.max_bad_share)
        exact, kept, groups = _without_copies(ingested, settings.near_duplicate_bits)
        parts = _divide(kept, groups, source, settings, seed)
        stack.enter_context(writing(output, CARD))
        splits = {part.name: _write_arrays(part, ingested, len(source.classes), output) for part in parts}
        _write_items(parts, output)
        write_bytes(output / "contact_sheet.jpg", _sheet(parts, ingested, source.classes))
        card = Dataset(
            provenance=recorder.finish({"data": source.sha256 or _content_hash(ingested)}, PACKAGES),
            source=source.name,
            source_kind=source.kind,
            classes=source.classes,
            height=settings.height,
            width=settings.width,
            train=splits["train"],
            validation=splits["validation"],
            test=splits.get("test"),
            items=file_ref(output / "items.jsonl", output),
            quarantine=ingested.quarantine,
            duplicates=_duplicates(exact, groups),
            colour_baseline=_baseline(output, parts),
            contact_sheet=file_ref(output / "contact_sheet.jpg", output),
            decode_images_per_s=ingested.images_per_s,
            bad_share=ingested.bad_share,
        )
        write_model(output / CARD, card)
    return card


def _refuse_bad(ingested: Ingested, allowed: float) -> None:
    bad = ingested.quarantine
    if ingested.bad_share <= allowed:
        return
    first = "; ".join(f"{item.file!r}: {item.reason}" for item in bad[:NAMED_BAD_FILES])
    more = f"; and {len(bad) - NAMED_BAD_FILES} more" if len(bad) > NAMED_BAD_FILES else ""
    total = len(bad) + len(ingested.records)
    text = f"{len(bad)} of {total} files are not usable images, more than {allowed:.1%}: {first}{more}"
    raise EdgeproofError(text, hint="repair or remove them, or raise data.max_bad_share")


def _without_copies(ingested: Ingested, bits: int) -> tuple[Exact, list[Record], npt.NDArray[np.int64]]:
    """The images to use, ordered by content, and their near-duplicate groups."""
    records = ingested.records
    exact = drop_copies([Copy(r.fingerprint.pixels_sha256, r.fingerprint.sha256, r.name, r.label) for r in records])
    kept = [records[position] for position in exact.kept]
    return exact, kept, near_groups([record.fingerprint for record in kept], bits)


def _divide(
    records: Sequence[Record], groups: npt.NDArray[np.int64], source: Source, settings: Data, seed: int
) -> tuple[_Part, ...]:
    labels = np.array([record.label for record in records], np.int32)
    hashes = [record.fingerprint.sha256 for record in records]
    shares = Shares(settings.validation_share, settings.test_share)
    chosen = divide(groups_of(labels, groups, hashes), shares, seed)[groups] if len(records) else np.zeros(0, np.int8)
    parts = tuple(
        _Part(name, [records[row] for row in np.flatnonzero(own).tolist()], labels[own], groups[own])
        for name, own in ((name, chosen == number) for number, name in enumerate(shares.splits))
    )
    for label, name in enumerate(source.classes):
        _require_rest(source, name, int((labels == label).sum()), settings)
        _require_each(source, name, parts, label)
    return parts


def _require_rest(source: Source, name: str, images: int, settings: Data) -> None:
    if images and round((1 - settings.validation_share - settings.test_share) * images) == 0:
        shares = f"validation_share {settings.validation_share:g}"
        if settings.test_share:
            shares += f" and test_share {settings.test_share:g}"
        text = f"{source.name}: {shares} leave none of the {images} images of class {name!r} for training"
        raise UsageError(text, hint="lower data.validation_share or data.test_share, or add images")


def _require_each(source: Source, name: str, parts: Sequence[_Part], label: int) -> None:
    empty = [WORDS[part.name] for part in parts if not (part.labels == label).any()]
    if empty:
        text = f"{source.name}: class {name!r} has too few distinct images for {' and '.join(empty)}"
        hint = f"add images that are no copies of each other, at least {len(parts)} per class"
        raise UsageError(text, hint=hint if len(parts) == 2 else f"{hint}, or set data.test_share = 0")  # noqa: PLR2004


def _write_arrays(part: _Part, ingested: Ingested, classes: int, output: Path) -> Split:
    images, labels = output / f"{part.name}_images.npy", output / f"{part.name}_labels.npy"
    with atomic(images) as path, path.open("wb") as stream:
        shape = (len(part.records), *ingested.images.shape[1:])
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for record in part.records:
            stream.write(ingested.images[record.row].tobytes())
    with atomic(labels) as path, path.open("wb") as stream:
        np.save(stream, part.labels)
    counts = np.bincount(part.labels, minlength=classes).tolist()
    return Split(
        images=file_ref(images, output), labels=file_ref(labels, output), count=sum(counts), per_class=tuple(counts)
    )


def _write_items(parts: Sequence[_Part], output: Path) -> None:
    with atomic(output / "items.jsonl") as path, path.open("w", encoding="utf-8") as stream:
        for part in parts:
            for index, (record, group) in enumerate(zip(part.records, part.groups.tolist(), strict=True)):
                item = Item(
                    file=record.name,
                    sha256=record.fingerprint.sha256,
                    label=record.label,
                    split=part.name,
                    index=index,
                    group=group,
                )
                stream.write(item.model_dump_json() + "\n")


def _sheet(parts: Sequence[_Part], ingested: Ingested, classes: Sequence[str]) -> bytes:
    train, *others = parts
    strips = []
    for label, name in enumerate(classes):
        rows = [record.row for record in train.records if record.label == label]
        own = (f"{int((part.labels == label).sum())} for {WORDS[part.name]}" for part in others)
        counts = ", ".join((f"{len(rows)} for training", *own))
        images = [ingested.images[row] for row in rows[: per_class(len(classes))]]
        strips.append(Strip(f"{name}: {counts}", images))
    return contact_sheet(strips)


def _duplicates(exact: Exact, groups: npt.NDArray[np.int64]) -> Duplicates:
    sizes = np.bincount(groups)
    return Duplicates(
        exact_dropped=exact.dropped,
        near_groups=int((sizes > 1).sum()),
        near_images=int(sizes[sizes > 1].sum()),
        conflicting=exact.conflicting,
    )


def _baseline(output: Path, parts: Sequence[_Part]) -> Proportion:
    train, reported = parts[0], parts[-1]
    seen, unseen = (np.load(output / f"{part.name}_images.npy", mmap_mode="r") for part in (train, reported))
    return colour_baseline(seen, train.labels, unseen, reported.labels)


def _content_hash(ingested: Ingested) -> str:
    """One sha256 over all usable images and their classes, whatever their names and order."""
    lines = sorted(f"{record.label}:{record.fingerprint.sha256}\n" for record in ingested.records)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
