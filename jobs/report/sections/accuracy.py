"""Accuracy: the tables, and the images whose answer changed. Pure: results to formatted blocks."""

from collections.abc import Iterator

from common.flattery import flattery
from common.numbers import ABSENT, count, percent, span
from common.schema.evaluation import Evaluation
from common.schema.judgement import Judgement, Kept, VariantJudgement
from common.schema.results import Results
from jobs.report.document import Cell, Column, Row, Table, number
from jobs.report.names import variant_labels
from jobs.report.verdicts import keeping, recall, spoken


def accuracies(results: Results) -> Table:
    """Accuracy of every variant, its agreement with Keras and the comparison with the reference."""
    labels = variant_labels(results)
    columns = (
        Column("Accuracy"),
        Column("95 % interval (%)"),
        Column("Right"),
        Column("ROC AUC"),
        Column("Top-1 agreement with Keras"),
        Column(f"Against {labels.get(results.reference, results.reference)}", numeric=False),
    )
    judgement = spoken(results)
    rows = tuple(
        Row(
            labels.get(e.variant, e.variant), _accuracy_cells(e, None if judgement is None else judgement.of(e.variant))
        )
        for e in results.evaluations
    )
    split = results.evaluations[0].split
    flattered = None if results.training is None else flattery(split, results.training)
    notes = (*_notes(judgement), *(() if flattered is None else (flattered,)))
    return Table(f"Accuracy on the {split} images", "Variant", columns, rows, notes, folded=True)


def _notes(judgement: Judgement | None) -> Iterator[str]:
    yield "Intervals are Wilson score intervals."
    if judgement is None:
        yield "Nobody judged these results, so nothing is said of their differences."
        return
    yield (
        f"Shown to keep: a loss of {percent(judgement.margin)} is ruled out on the same images (Tango's test of paired "
        f"shares, one-sided). Shown to lose: McNemar's exact test, two-sided. Both at {judgement.alpha:g}, corrected "
        "for the number of variants (Hochberg, Holm). Not shown: neither."
    )


def _accuracy_cells(evaluation: Evaluation, found: VariantJudgement | None) -> tuple[Cell, ...]:
    share, keras = evaluation.accuracy, evaluation.keras
    return (
        Cell(percent(share.value)),
        Cell(span(100 * share.low, 100 * share.high)),
        Cell(f"{share.successes} of {share.total}"),
        number(None if evaluation.roc_auc is None else f"{evaluation.roc_auc:.4f}"),
        Cell(ABSENT)
        if keras is None
        else Cell(percent(keras.top1.value), f"outputs differ by at most {keras.max_abs_difference:.2g}"),
        keeping(None if found is None else found.overall, evaluation.mcnemar),
    )


def scores(results: Results, evaluation: Evaluation) -> Table:
    """Precision, recall and F1 of every class of a variant."""
    columns = (Column("Precision"), Column("Recall"), Column("F1"), Column("Images"))
    judgement = spoken(results)
    rows = []
    for score in evaluation.per_class:
        precision, f1 = (number(None if v is None else percent(v)) for v in (score.precision, score.f1))
        kept = _class_kept(judgement, evaluation.variant, score.name)
        rows.append(Row(score.name, (precision, recall(score.recall, kept), f1, Cell(str(score.support)))))
    return Table("Scores per class", "Class", columns, tuple(rows))


def _class_kept(judgement: Judgement | None, variant: str, name: str) -> Kept | None:
    if judgement is None:
        return None
    return next((item.kept for item in judgement.of(variant).classes if item.name == name), None)


def confusion(evaluation: Evaluation) -> Table:
    """The confusion matrix of a variant."""
    columns = tuple(Column(name, "Taken for") for name in evaluation.classes)
    rows = tuple(
        Row(name, tuple(Cell(str(images)) for images in counts))
        for name, counts in zip(evaluation.classes, evaluation.confusion, strict=True)
    )
    wrong = evaluation.count - evaluation.accuracy.successes
    return Table(f"Confusion matrix: {wrong} of {count(evaluation.count, 'image')} wrong", "Class", columns, rows)
