"""What can be said of files without labels: what they were asked, how their answers lie beside the reference's, and
the user's score. Pure: results to formatted tables."""

from collections.abc import Iterator

from common.numbers import ABSENT, TIMES, count, listed, percent
from common.schema.answers import Answers, OutputAgreement
from common.schema.inputs import Samples
from common.schema.judgement import Judgement
from common.schema.results import Results
from jobs.report.blocks import Tone
from jobs.report.document import Cell, Column, Row, Section, Table, number
from jobs.report.names import variant_labels
from jobs.report.verdicts import spoken


def section(results: Results, samples: Samples) -> Section:
    """The chapter about the answers."""
    told = (_asked(results, samples),)
    return Section("answers", "Answers", told, (*_scores(results), *_agreements(results), _inputs(samples)))


def _asked(results: Results, samples: Samples) -> str:
    if samples.kind == "drawn":
        return (
            f"No labels are known, so every file was asked with the same {count(samples.count, 'sample')}, drawn at "
            "random. What a file answers to such inputs says whether it computes the same, not whether it is right."
        )
    asked = f"Every file was asked with the same {count(samples.count, 'sample')} that were given."
    return f"{asked}{_calibrated(results, samples)}"


def _calibrated(results: Results, samples: Samples) -> str:
    """Which files have their ranges from the very samples that they are judged on."""
    if samples.apart:
        return f" Calibrated on {count(samples.apart, 'other sample')}, where they are."
    labels = variant_labels(results)
    found = tuple(labels[v.name] for v in results.variants if any("calibrated" in step for step in v.steps))
    return f" Calibrated on these very samples, which flatters them: {listed(found)}." if found else ""


def _scores(results: Results) -> Iterator[Table]:
    found = [answers for answers in results.answers if answers.score is not None]
    if not found:
        return
    labels, judgement = variant_labels(results), spoken(results)
    columns = (Column("Score"), Column("Difference"), Column("95 % interval"), Column("Verdict", numeric=False))
    rows = tuple(Row(labels.get(a.variant, a.variant), _score_cells(a, judgement)) for a in found)
    notes = ("Higher is better. The difference is to the reference on the same samples, by a paired bootstrap.",)
    yield Table("Scores", "Variant", columns, rows, notes)


def _score_cells(answers: Answers, judgement: Judgement | None) -> tuple[Cell, ...]:
    score = answers.score
    if score is None or score.difference is None:
        return (number(None if score is None else f"{score.value:.4g}"), Cell(ABSENT), Cell(ABSENT), Cell("reference"))
    drawn = score.differences
    low, high = drawn[int(0.025 * len(drawn))], drawn[min(len(drawn) - 1, int(0.975 * len(drawn)))]
    word = ABSENT if judgement is None else judgement.of(answers.variant).accuracy
    return (
        Cell(f"{score.value:.4g}"),
        Cell(f"{score.difference:+.4g}"),
        Cell(f"{low:+.4g} to {high:+.4g}"),
        Cell(word, tone=_tone(word)),
    )


def _tone(word: str) -> Tone:
    return {"shown to keep": "better", "shown to lose": "worse"}.get(word, "plain")  # type: ignore[return-value]


def _agreements(results: Results) -> Iterator[Table]:
    compared = [answers for answers in results.answers if answers.reference is not None]
    if not compared:
        return
    labels, judgement = variant_labels(results), spoken(results)
    columns = (
        Column("Output", numeric=False),
        Column("Largest difference"),
        Column("Mean difference"),
        Column("SNR (dB)"),
        Column("Least cosine"),
        Column("Top-1 agreement"),
        Column("Beside them", numeric=False),
    )
    rows = tuple(
        Row(labels.get(a.variant, a.variant), _cells(row, a, judgement)) for a in compared for row in a.agreement
    )
    reference = labels.get(results.reference, results.reference)
    notes = (
        f"Over all samples, beside the answers of {reference} on the plain kernels of the host. SNR is the energy of "
        "its answers over that of the differences; the cosine is the least of any sample.",
    )
    yield Table(f"Agreement with {reference}", "Variant", columns, rows, notes)


def _cells(row: OutputAgreement, answers: Answers, judgement: Judgement | None) -> tuple[Cell, ...]:
    exact = row.max_abs == 0
    snr = "the same" if exact else None if row.snr_db is None else f"{row.snr_db:.1f}"
    return (
        Cell(row.name, f"{row.dtype} {TIMES.join(map(str, row.shape))}"),
        number(None if row.max_abs is None else f"{row.max_abs:.3g}"),
        number(None if row.mean_abs is None else f"{row.mean_abs:.3g}"),
        number(snr),
        number(None if row.cosine is None else f"{row.cosine:.5f}"),
        number(None if row.top1 is None else percent(row.top1.value)),
        _beside(row, answers, judgement),
    )


def _beside(row: OutputAgreement, answers: Answers, judgement: Judgement | None) -> Cell:
    told = []
    if row.problem is not None:
        told.append(row.problem)
    if row.not_finite:
        told.append(f"{count(row.not_finite, 'value')} no numbers")
    if row.constant:
        told.append("the same for every sample")
    if row.one_class:
        told.append("the reference names one class for every sample, so that agreeing with it says nothing")
    if told:
        return Cell("; ".join(told), tone="problem")
    if judgement is not None and judgement.basis == "agreement":
        word = judgement.of(answers.variant).accuracy
        within = word == "shown to keep"
        return Cell("within the tolerance" if within else "beyond the tolerance", tone="better" if within else "worse")
    return Cell(ABSENT)


def _inputs(samples: Samples) -> Table:
    columns = (
        Column("Shape"),
        Column("Type", numeric=False),
        Column("Least"),
        Column("Largest"),
        Column("From", numeric=False),
    )
    rows = tuple(
        Row(
            port.name,
            (
                Cell(TIMES.join(map(str, port.shape)) or "scalar"),
                Cell(port.dtype),
                Cell(f"{port.low:.6g}"),
                Cell(f"{port.high:.6g}"),
                Cell(port.why),
            ),
        )
        for port in samples.ports
    )
    drawn = ("Drawn uniformly from the least to below the largest; [inputs] range and INPUTS change it.",)
    notes = drawn if samples.kind == "drawn" else ()
    return Table("What the files were asked with", "Input", columns, rows, notes)
