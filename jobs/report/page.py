"""The report's order: results to a document. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from common.numbers import count
from common.schema.comparison import Comparison
from common.schema.results import Latency, Results
from jobs.report import sustained
from jobs.report.blocks import Commands, Notes, Prose
from jobs.report.document import CHART_FILES, Block, Chart, Document, File, Picture, Section, drawn
from jobs.report.draw import curves, forest, quality, tradeoff
from jobs.report.draw.canvas import standalone
from jobs.report.draw.points import View
from jobs.report.names import Grid
from jobs.report.sections import answers, between, card, master, places, proof, reasons, sound, variant
from jobs.report.sections.accuracy import accuracies
from jobs.report.sections.background import dataset_tables, duplicates, environment_tables, training_table
from jobs.report.sections.flips import galleries
from jobs.report.sections.latency import overview

# What the trade-off can be looked at by; the first is shown first.
VIEWS: tuple[View, ...] = ("latency", "download", "memory")


def build(results: Results, contact_sheet: File | None, comparison: Comparison | None = None) -> Document:
    """The document of a consistent results file; `contact_sheet` is the dataset's picture, `comparison` what changed
    beside another run."""
    grid = Grid(results)
    first, *others = _sections(results, contact_sheet)
    beside = () if comparison is None else (between.section(comparison),)
    sections = tuple(_placed(grid, section) for section in (first, *beside, *others))
    shown = "" if grid.first is None else grid.key(grid.first)
    return Document(results.title, results.source, sections, shown, tuple(_files(sections)))


def _placed(grid: Grid, section: Section) -> Section:
    """With the setting in the caption of its charts where there are several: without the script all stand together."""
    if len(grid.settings) == 1:
        return section
    labels = {grid.key(setting): setting.label for setting in grid.settings}
    blocks = (
        replace(block, caption=f"{labels[block.setting]}: {block.caption}")
        if isinstance(block, Chart) and block.setting in labels
        else block
        for block in section.blocks
    )
    return replace(section, blocks=tuple(blocks))


def _files(sections: tuple[Section, ...]) -> Iterator[File]:
    """What stands beside the Markdown: pictures, and the charts of the setting that decides."""
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Picture):
            yield from block.files
        elif isinstance(block, Chart) and block.name in CHART_FILES:
            yield File(block.file, standalone(block))


def _sections(results: Results, contact_sheet: File | None) -> Iterator[Section]:
    yield Section("decision", "Decision", (), (card.card(results),))
    chips = places.section(results)
    if chips is not None:
        yield chips
    yield from _figures(results)
    yield _variants(results)
    yield sound.section(results, (*results.missing, *_absent(results, contact_sheet)))
    if results.sustained:
        load: tuple[Block, ...] = (*curves.sustained(results), *sustained.tables(results))
        yield Section("sustained", "Sustained load", sustained.sentences(results), load)
    yield from _quality(results)
    why = reasons.section(results)
    if why is not None:
        yield why
    yield from _background(results, contact_sheet)


def _figures(results: Results) -> Iterator[Section]:
    """The two charts of every setting that stand beside each other."""
    settings = Grid(results).settings
    costs = drawn(*(tradeoff.tradeoff(results, setting, by) for setting in settings for by in VIEWS))
    if costs:
        yield Section("tradeoff", "Trade-off", (), costs, half=True)
    gains = {setting: forest.forest(results, setting) for setting in settings}
    if any(gains.values()):
        key = Grid(results).key
        blocks = (
            chart or Prose(f"{setting.label}: no speed-up is told.", key(setting)) for setting, chart in gains.items()
        )
        yield Section("speedups", "Speed-ups", (), tuple(blocks), half=True)


def _variants(results: Results) -> Section:
    """The one table, how the choice was made, the published table, and a part for every variant."""
    choice = results.choice
    rules = () if choice is None or len(choice.recommendation) == 1 else choice.recommendation[1:]
    notes = (Notes("How it was chosen", rules),) if rules else ()
    blocks: tuple[Block, ...] = (*master.tables(results), *notes, *overview(results), *variant.folds(results))
    return Section("variants", "Every variant", (), blocks)


def _quality(results: Results) -> Iterator[Section]:
    if results.evaluations:
        charts = drawn(quality.won_lost(results), quality.recalls(results), quality.confusion(results))
        yield Section("accuracy", "Accuracy", (), (*charts, *galleries(results), accuracies(results)))
    if results.samples is not None:
        yield answers.section(results, results.samples)


def _background(results: Results, contact_sheet: File | None) -> Iterator[Section]:
    """What is folded: files, dataset, training, environment, how to reproduce it."""
    files = proof.section(results)
    if files is not None:
        yield files
    if results.dataset is not None:
        sheet = () if contact_sheet is None else (_sheet(contact_sheet),)
        blocks = (*dataset_tables(results, results.dataset), *sheet)
        yield Section("dataset", "Dataset", (" ".join(duplicates(results.dataset)),), blocks, folded=True)
    if results.training is not None:
        imbalance = results.training.imbalance
        sentence = f"{imbalance[:1].upper()}{imbalance[1:].rstrip('.')}."
        blocks = (training_table(results.training), *drawn(curves.training(results.training)))
        yield Section("training", "Training", (sentence,), blocks, folded=True)
    if results.targets or results.provenance:
        yield Section("environment", "Environment", (), tuple(environment_tables(results)), folded=True)
    if results.reproduce:
        yield Section("reproduce", "How to reproduce it", (_REPRODUCE,), (Commands(results.reproduce),), folded=True)


_REPRODUCE = (
    "In a checkout of this project. The bytes of trained files depend on the seed, the versions and the kind of "
    "processor, the latencies on the machine."
)


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
