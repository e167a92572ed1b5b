"""The sections about the dataset, the training and the environment. Pure."""

from collections.abc import Iterator

from common.numbers import ABSENT, TIMES, count, decimal, listed, percent, proportion
from common.schema.dataset import Dataset
from common.schema.environment import Environment
from common.schema.provenance import Provenance, Runtime
from common.schema.results import Results
from common.schema.training import Training
from jobs.report.document import Cell, Column, Row, Table, facts
from jobs.report.names import variant_labels

# Longer lists are cut; dataset.json has them whole.
QUARANTINE_SHOWN = 20
CONFLICTS_SHOWN = 10
HASH_SHOWN = 12


def dataset_tables(results: Results, card: Dataset) -> Iterator[Table]:
    """Facts, images per class, colour against shape, and the files that were left out."""
    pairs = (
        ("Source", f"{card.source} ({card.source_kind})"),
        ("Image size", f"{card.width} {TIMES} {card.height} pixels, RGB"),
        ("Decoding", f"{decimal(card.decode_images_per_s)} images per second"),
        ("Files left out", f"{len(card.quarantine)} ({percent(card.bad_share)})"),
    )
    yield facts("The dataset", "Fact", "Value", pairs)
    yield _split(card)
    yield _colour(results, card)
    if card.quarantine:
        yield _quarantine(card)


def _split(card: Dataset) -> Table:
    columns = tuple(Column("Training" if name == "train" else name.capitalize()) for name, _ in card.splits)
    counts = zip(card.classes, *(split.per_class for _, split in card.splits), strict=True)
    rows = [Row(name, tuple(Cell(str(images)) for images in own)) for name, *own in counts]
    rows.append(Row("All", tuple(Cell(str(split.count)) for _, split in card.splits)))
    return Table("Images per class", "Class", columns, tuple(rows))


def _colour(results: Results, card: Dataset) -> Table:
    rows = [Row("Logistic regression on colour histograms", (Cell(proportion(card.colour_baseline)),))]
    own = next((e for e in results.evaluations if e.variant == results.reference), None)
    if own is not None:
        label = variant_labels(results).get(own.variant, own.variant)
        rows.append(Row(f"The network ({label})", (Cell(proportion(own.accuracy)),)))
    note = "What colour alone can do says how much the network had to learn beyond it."
    return Table("Colour alone and the network", "Classifier", (Column("Accuracy"),), tuple(rows), (note,))


def _quarantine(card: Dataset) -> Table:
    rows = tuple(Row(item.file, (Cell(item.reason),)) for item in card.quarantine[:QUARANTINE_SHOWN])
    more = len(card.quarantine) - len(rows)
    notes = (f"and {more} more; dataset.json lists all.",) if more else ()
    return Table("Files that were left out", "File", (Column("Reason", numeric=False),), rows, notes)


def duplicates(card: Dataset) -> tuple[str, ...]:
    """What the search for duplicates found, in sentences."""
    found = card.duplicates
    copies = (
        count(found.exact_dropped, "exact copy was", "exact copies were") if found.exact_dropped else "No copies were"
    )
    sentences = [f"{copies} left out."]
    if found.near_groups:
        groups = count(found.near_groups, "group")
        sentences.append(f"{found.near_images} images in {groups} of near duplicates stay together in one split.")
    if found.conflicting:
        shown = found.conflicting[:CONFLICTS_SHOWN]
        more = len(found.conflicting) - len(shown)
        rest = f" and {more} more" if more else ""
        sentences.append(f"Copies that lay in more than one class: {', '.join(shown)}{rest}.")
    return tuple(sentences)


def training_table(training: Training) -> Table:
    """Architecture, course and speed of the training."""
    best = next((epoch for epoch in training.epochs if epoch.epoch == training.best_epoch), None)
    pairs = [
        ("Architecture", training.architecture),
        ("Parameters", str(training.parameters)),
        ("Input", f" {TIMES} ".join(str(side) for side in training.input_shape)),
        ("Epochs", str(sum(epoch.epoch > 0 for epoch in training.epochs))),
        (
            "Best epoch",
            str(training.best_epoch) if best is None else f"{best.epoch} ({_validation(best.val_accuracy)})",
        ),
        ("Device", training.device),
    ]
    if training.images_per_s is not None:
        pairs.append(("Speed", f"{decimal(training.images_per_s)} images per second"))
    if training.class_weights is not None:
        weights = zip(training.classes, training.class_weights, strict=True)
        pairs.append(("Class weights", ", ".join(f"{name}: {decimal(weight)}" for name, weight in weights)))
    if training.resumed_at:
        pairs.append(("Interrupted", f"went on after epoch {listed(tuple(map(str, training.resumed_at)))}"))
    return facts("The training", "Fact", "Value", tuple(pairs))


def _validation(share: float) -> str:
    return f"{percent(share)} of the validation images right"


def environment_tables(results: Results) -> Iterator[Table]:
    """The machines that measured, what ran when, and the versions."""
    for target in results.targets:
        kind = "Android device" if target.kind == "android" else "host computer"
        note = (f"{target.name} is functional only: its times are never compared.",) if target.functional_only else ()
        told = (("Kind", kind), *target.facts, *_instructions(target))
        table = facts(f"Measured on {target.name}", "Fact", "Value", told)
        yield Table(table.caption, table.corner, table.columns, table.rows, note)
    if results.provenance:
        yield _stages(results.provenance)
        yield facts("Versions", "Package", "Version", _versions(results.provenance))


def _instructions(target: Environment) -> Iterator[tuple[str, str]]:
    """The instruction sets that pick kernels, where the facts do not tell them already."""
    processor = target.processor
    told = any(label == "Instruction sets" for label, _ in target.facts)
    if processor is not None and processor.instruction_sets is not None and not told:
        yield "Instruction sets", ", ".join(processor.instruction_sets) or "none that picks kernels"


def _stages(provenance: tuple[Provenance, ...]) -> Table:
    columns = tuple(
        Column(label, numeric=label in {"Runs", "Seconds"})
        for label in ("Runs", "Seconds", "Last ended (UTC)", "Commit", "Code", "Ran in")
    )
    rows = []
    for stage in dict.fromkeys(item.stage for item in provenance):
        runs = tuple(item for item in provenance if item.stage == stage)
        cells = (
            str(len(runs)),
            f"{sum(run.duration_s for run in runs):.1f}",
            f"{max(run.finished_at for run in runs):%Y-%m-%d %H:%M:%S}",
            _distinct(tuple(_commit(run) for run in runs)),
            _distinct(tuple(run.code.tree_sha256[:HASH_SHOWN] for run in runs)),
            _distinct(tuple(_runtime(run.runtime) for run in runs)),
        )
        rows.append(Row(stage, tuple(Cell(text) for text in cells)))
    first = provenance[0]
    settings = f"Experiment {first.experiment} (sha256 {first.experiment_sha256[:HASH_SHOWN]}), seed {first.seed}."
    notes = (settings, "Code is the start of the sha256 over the stage's source files; results.json has all hashes.")
    return Table("Stages", "Stage", columns, tuple(rows), notes)


def _distinct(texts: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _commit(run: Provenance) -> str:
    if run.code.commit is None:
        return ABSENT
    return run.code.commit[:HASH_SHOWN] + (" with changes" if run.code.dirty else "")


def _runtime(runtime: Runtime) -> str:
    if runtime.kind == "container":
        return f"image {runtime.image or ABSENT}"
    lock = runtime.lock_sha256
    return "virtual environment" + (f", lock files {lock[:HASH_SHOWN]}" if lock else "")


def _versions(provenance: tuple[Provenance, ...]) -> tuple[tuple[str, str], ...]:
    packages = sorted({package for run in provenance for package in run.versions})
    return tuple(
        (package, _distinct(tuple(run.versions[package] for run in provenance if package in run.versions)))
        for package in packages
    )
