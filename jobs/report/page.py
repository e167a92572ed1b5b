"""The report's order: results to a document. Pure, apart from the pictures that it draws."""

from collections.abc import Iterator

from common.numbers import count
from common.schema.results import Latency, Results
from jobs.report import answers, choice, devices, sustained, why
from jobs.report.accuracy import accuracies, class_scores, confusions, files
from jobs.report.background import dataset_tables, duplicates, environment_tables, training_table
from jobs.report.document import Chart, Commands, Document, File, Picture, Section
from jobs.report.draw import curves, forest, operators, quality, trace, tradeoff
from jobs.report.draw.canvas import deciding
from jobs.report.latency import details, overview
from jobs.report.proof import proofs
from jobs.report.summary import summarise


def build(results: Results, contact_sheet: File | None) -> Document:
    """The document of a consistent results file; `contact_sheet` is the dataset's picture."""
    return Document(
        title=results.title,
        source=results.source,
        summary=summarise(results),
        warnings=results.warnings,
        missing=(*results.missing, *_absent(results, contact_sheet)),
        sections=tuple(_sections(results, contact_sheet)),
    )


def _sections(results: Results, contact_sheet: File | None) -> Iterator[Section]:
    yield from _decided(results)
    if results.dataset is not None:
        sheet = () if contact_sheet is None else (_sheet(contact_sheet),)
        blocks = (*dataset_tables(results, results.dataset), *sheet)
        yield Section("dataset", "Dataset", (" ".join(duplicates(results.dataset)),), blocks)
    if results.training is not None:
        imbalance = results.training.imbalance
        sentence = f"{imbalance[:1].upper()}{imbalance[1:].rstrip('.')}."
        blocks = (training_table(results.training), *_charts(curves.training(results.training)))
        yield Section("training", "Training", (sentence,), blocks)
    if results.targets or results.provenance:
        yield Section("environment", "Environment", (), tuple(environment_tables(results)))
    if results.reproduce:
        yield Section("reproduce", "How to reproduce it", (_REPRODUCE,), (Commands(results.reproduce),))


def _decided(results: Results) -> Iterator[Section]:
    """What was measured of the variants, and what follows from it."""
    if results.choice is not None:
        yield choice.section(results, results.choice)
    yield Section("results", "Results", (), overview(results))
    if results.measurements:
        yield _latency(results)
    if results.sustained:
        yield Section(
            "sustained",
            "Sustained load",
            sustained.sentences(results),
            (*curves.sustained(results), *sustained.tables(results)),
        )
    if results.evaluations:
        tables = (accuracies(results), class_scores(results), *confusions(results))
        charts = _charts(quality.won_lost(results), quality.recalls(results), quality.confusion(results))
        yield Section("accuracy", "Accuracy", (), (*charts, *tables))
    if results.samples is not None:
        yield answers.section(results, results.samples)
    if any(variant.steps or variant.promises_total is not None for variant in results.variants):
        yield Section("files", "Files", (), (files(results), *proofs(results)))


_REPRODUCE = (
    "In a checkout of this project; latencies depend on the machine, everything else on the seed and the versions."
)


def _latency(results: Results) -> Section:
    rounds = any(isinstance(m.result, Latency) and m.result.rounds is not None for m in results.measurements)
    text = (
        "A latency is the median over fresh processes, one per round, of each process's median inference time. "
        "Intervals are over the rounds; a ratio pairs each variant with the reference of the "
        "same round. The word beside it is the judge's."
    )
    return Section(
        "latency",
        "Latency",
        (text,) if rounds else (),
        (*_measured(results), *details(results), *devices.operators(results), *why.tables(results)),
    )


def _measured(results: Results) -> tuple[Chart, ...]:
    setting = deciding(results)
    if setting is None:
        return ()
    traces = [found for one in results.traces for found in (trace.trace(results, one), trace.strip(results, one))]
    return _charts(
        tradeoff.tradeoff(results, setting, "latency"),
        forest.forest(results, setting),
        *traces,
        operators.work(results, setting),
    )


def _charts(*charts: Chart | None) -> tuple[Chart, ...]:
    return tuple(chart for chart in charts if chart is not None)


def _sheet(sheet: File) -> Picture:
    return Picture("Some images of every class", "Some training images of every class.", (sheet,), (sheet,))


def _given(results: Results) -> bool:
    """Whether the files were not trained here."""
    return results.samples is not None or (results.dataset is not None and results.schema_version > 3)  # noqa: PLR2004


def _absent(results: Results, contact_sheet: File | None) -> Iterator[str]:
    latencies = [m.result for m in results.measurements if isinstance(m.result, Latency)]
    parts = {
        "latency": not results.measurements,
        "spread over rounds and intervals": bool(latencies) and all(x.low_us is None for x in latencies),
        "accuracy": not results.evaluations and not results.answers,
        "what is in each file": all(v.promises_total is None for v in results.variants),
        "the dataset": results.dataset is None and results.samples is None,
        "the training": results.training is None and not _given(results),
        "the environment": not results.targets,
        "how to reproduce it": not results.reproduce,
    }
    gone = tuple(part for part, absent in parts.items() if absent)
    if gone:
        yield f"These results say nothing about the following, so this report leaves it out: {', '.join(gone)}."
    if results.dataset is not None and contact_sheet is None:
        yield "The dataset's contact sheet is left out: it was not found, or is no picture."
    one = sum(x.rounds == 1 for x in latencies)
    if one:
        yield f"{count(one, 'latency', 'latencies')} from a single round have no spread, interval or ratio."
