"""The tables of accuracy and of what each file holds. Pure: results to formatted tables."""

from common.numbers import ABSENT, SIGNIFICANCE, count, megabytes, p_value, percent, span
from common.schema.evaluation import Evaluation, McNemar
from common.schema.results import Results, VariantResult
from jobs.report.document import Cell, Column, Row, Table, Tone, number
from jobs.report.names import variant_labels


def files(results: Results) -> Table:
    """What each variant's file is made of and whether it keeps what its recipe promises."""
    labels = variant_labels(results)
    columns = (
        Column("Made by", numeric=False),
        Column("Size (bytes)"),
        Column("Zipped (MB)"),
        Column("Promises kept", numeric=False),
    )
    rows = tuple(Row(labels[v.name], _file_cells(v)) for v in results.variants)
    notes = ("Zipped is the size in an app package, compressed by DEFLATE at level 6.",)
    return Table("What is in each file", "Variant", columns, rows, notes)


def _file_cells(variant: VariantResult) -> tuple[Cell, ...]:
    return (
        Cell(", then ".join(variant.steps) or ABSENT),
        Cell(str(variant.size_bytes)),
        number(None if variant.deflated_bytes is None else megabytes(variant.deflated_bytes)),
        _promises(variant),
    )


def _promises(variant: VariantResult) -> Cell:
    kept, total = variant.promises_kept, variant.promises_total
    if kept is None or total is None:
        return Cell(ABSENT)
    if not variant.waived:
        return Cell(f"{kept} of {total}")
    return Cell(f"{kept} of {total}", f"{total - kept} waived: {'; '.join(variant.waived)}", "problem")


def is_worse(test: McNemar | None) -> bool:
    """Significantly less accurate than the reference."""
    return test is not None and test.p_value < SIGNIFICANCE and test.only_reference_right > test.only_variant_right


def accuracies(results: Results) -> Table:
    """Accuracy of every variant, its agreement with Keras and the comparison with the reference."""
    labels = variant_labels(results)
    columns = (
        Column("Accuracy"),
        Column("95 % interval (%)"),
        Column("Right"),
        Column("ROC AUC"),
        Column("Same answer as Keras"),
        Column(f"Against {labels.get(results.reference, results.reference)}", numeric=False),
    )
    rows = tuple(Row(labels.get(e.variant, e.variant), _accuracy_cells(e)) for e in results.evaluations)
    notes = (
        "Intervals are Wilson score intervals. The comparison is McNemar's exact test on the same images, "
        f"two-sided at {SIGNIFICANCE}; its p values are not corrected for the number of variants.",
    )
    return Table("Accuracy on the validation images", "Variant", columns, rows, notes)


def _accuracy_cells(evaluation: Evaluation) -> tuple[Cell, ...]:
    share, keras = evaluation.accuracy, evaluation.keras
    return (
        Cell(percent(share.value)),
        Cell(span(100 * share.low, 100 * share.high)),
        Cell(f"{share.successes} of {share.total}"),
        number(None if evaluation.roc_auc is None else f"{evaluation.roc_auc:.4f}"),
        Cell(percent(keras.top1.value), f"outputs differ by at most {keras.max_abs_difference:.2g}"),
        comparison(evaluation.mcnemar),
    )


def comparison(test: McNemar | None) -> Cell:
    """The McNemar test in words."""
    if test is None:
        return Cell("reference")
    note = f"only this one right: {test.only_variant_right}, only the other: {test.only_reference_right}"
    if test.p_value >= SIGNIFICANCE:
        return Cell(f"not significantly different ({p_value(test.p_value)})", note)
    tone: Tone = "worse" if is_worse(test) else "better"
    sign = "▼ significantly worse" if is_worse(test) else "▲ significantly better"
    return Cell(f"{sign} ({p_value(test.p_value)})", note, tone)


def class_scores(results: Results) -> Table:
    """Precision, recall and F1 of every class and variant."""
    labels = variant_labels(results)
    columns = (
        Column("Class", numeric=False),
        Column("Precision"),
        Column("Recall"),
        Column("F1"),
        Column("Images"),
    )
    rows = []
    for evaluation in results.evaluations:
        for score in evaluation.per_class:
            figures = (score.precision, score.recall, score.f1)
            shares = (number(None if value is None else percent(value)) for value in figures)
            cells = (Cell(score.name), *shares, Cell(str(score.support)))
            rows.append(Row(labels.get(evaluation.variant, evaluation.variant), cells))
    notes = (f"{ABSENT} stands where a figure is undefined: no image was taken for that class.",)
    return Table("Scores per class", "Variant", columns, tuple(rows), notes, folded=True)


def confusions(results: Results) -> tuple[Table, ...]:
    """The confusion matrix of every variant."""
    labels = variant_labels(results)
    return tuple(_confusion(e, labels.get(e.variant, e.variant)) for e in results.evaluations)


def _confusion(evaluation: Evaluation, label: str) -> Table:
    columns = tuple(Column(name, "Taken for") for name in evaluation.classes)
    rows = tuple(
        Row(name, tuple(Cell(str(images)) for images in counts))
        for name, counts in zip(evaluation.classes, evaluation.confusion, strict=True)
    )
    wrong = evaluation.count - evaluation.accuracy.successes
    caption = f"Confusion matrix of {label}: {count(wrong, 'image')} of {evaluation.count} wrong"
    return Table(caption, "Class", columns, rows, folded=True)
