"""What a file answers beside the reference, as a search weighs it."""

from pathlib import Path

from common.artifact import read
from common.run.quality import without_labels
from common.schema.answers import BEYOND, Answers, Tolerance
from common.schema.evaluation import Evaluation
from common.schema.experiment import Experiment
from common.schema.judgement import Basis
from common.schema.search_result import Answered, Compared
from common.schema.variant import Validation

ARTIFACT = "evaluation.json"


def basis(settings: Experiment) -> Basis:
    """What the experiment judges its variants by: labels before a score before a tolerance, or nothing."""
    if settings.has_images:
        return "accuracy"
    return without_labels(settings.evaluate.tolerance, scored=settings.evaluate.score is not None)


def answered(folder: Path, settings: Experiment) -> Answered:
    """The evaluation in a folder. Raises UsageError for one that is missing or of another kind."""
    if settings.has_images:
        return counted(read(folder / ARTIFACT, Evaluation))
    return compared(read(folder / ARTIFACT, Answers), settings.evaluate.tolerance)


def counted(found: Evaluation) -> Validation:
    """Right answers beside the reference's, whose own evaluation is compared with nothing."""
    right, beside = found.accuracy.successes, found.mcnemar
    if beside is None:
        return Validation(images=found.count, right=right, lost=0, won=0)
    lost, won = beside.only_reference_right, beside.only_variant_right
    return Validation(images=found.count, right=right + lost - won, lost=lost, won=won)


def compared(found: Answers, tolerance: Tolerance | None) -> Compared:
    """What is lost of the score, or which share of the tolerance is taken. Nothing is left where an answer is no
    number."""
    if found.reference is None:
        return Compared(samples=found.count, lost=0.0)
    if not found.finite:
        return Compared(samples=found.count, lost=BEYOND)
    if found.score is not None:
        return Compared(samples=found.count, lost=-(found.score.difference or 0.0))
    taken = max((row.taken(tolerance) for row in found.agreement), default=0.0) if tolerance is not None else 0.0
    return Compared(samples=found.count, lost=taken)
