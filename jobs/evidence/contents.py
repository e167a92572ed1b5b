"""What of a run is evidence: its files by name, told by its artifacts."""

from collections.abc import Iterator
from pathlib import Path

from common.artifact import read
from common.dataset import CARD
from common.experiment import LoadedExperiment
from common.run.layout import CHOICE, RESULTS, benchmarks, targets_of
from common.run.read import BENCHMARK, EVALUATION, SAMPLES, TRAINING, VARIANT
from common.schema.answers import Answers
from common.schema.base import FileRef
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.results import Results
from common.schema.training import Training
from common.schema.variant import Variant


def contents(run: Path, experiment: LoadedExperiment) -> list[str]:
    """The paths below the run, sorted. Raises UsageError for an artifact that is missing or damaged."""
    return sorted(set(_contents(run, experiment)))


def _contents(run: Path, experiment: LoadedExperiment) -> Iterator[str]:
    settings = experiment.settings
    yield from _asked(run, experiment)
    if settings.recipes:
        yield from _named("train", TRAINING, read(run / "train" / TRAINING, Training).curves)
    for name in settings.variants:
        variant = read(run / "variants" / name / VARIANT, Variant)
        compiled = None if variant.compiled is None else variant.compiled.model
        yield from _named(f"variants/{name}", VARIANT, variant.model, variant.keras_outputs, compiled)
        yield from _named(f"evaluation/{name}", EVALUATION, *_answers(run / "evaluation" / name, experiment))
    for benchmark, folder in benchmarks(run, targets_of(read(run / RESULTS, Results))):
        profiles = [row.examination.profile for row in benchmark.rows if row.examination is not None]
        yield from _named(f"benchmark/{folder.name}", BENCHMARK, benchmark.ledger, *profiles)
        yield from _files(run, folder / "logs")
    choice = read(run / CHOICE, Choice)
    yield from _named("best", "choice.json", choice.model, choice.card)
    yield from _files(run, run / "report")


def _asked(run: Path, experiment: LoadedExperiment) -> Iterator[str]:
    """The data card with the list of images and the labels that figures are of, without images; or that of samples."""
    if not experiment.settings.has_images:
        yield f"inputs/{SAMPLES}"
        return
    card = read(run / "dataset" / CARD, Dataset)
    labels = dict(card.splits)[card.reported].labels
    yield from _named("dataset", CARD, card.items, card.contact_sheet, labels)


def _answers(folder: Path, experiment: LoadedExperiment) -> tuple[FileRef | None, ...]:
    if experiment.settings.has_images:
        return (read(folder / EVALUATION, Evaluation).outputs,)
    found = read(folder / EVALUATION, Answers)
    return found.outputs, None if found.score is None else found.score.values


def _named(folder: str, artifact: str, *refs: FileRef | None) -> Iterator[str]:
    yield f"{folder}/{artifact}"
    yield from (f"{folder}/{ref.path}" for ref in refs if ref is not None)


def _files(run: Path, folder: Path) -> Iterator[str]:
    """Every file of a folder, but those whose names begin with a dot: locks and leftovers."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(run).as_posix()
