"""The one table of every variant in a setting: verdict, figures, and the row that opens to everything else. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from common.numbers import ABSENT, BYTES_PER_MB, decimals, percent, time_unit
from common.schema.choice import Verdict
from common.schema.evaluation import Evaluation
from common.schema.results import Latency, Results, VariantResult
from jobs.report import choice, verdicts
from jobs.report.blocks import Tone
from jobs.report.document import Cell, Column, Row, Table
from jobs.report.names import Grid, Setting, variant_labels

# The choice's verdicts in the words of the field.
WORDS: dict[Verdict, tuple[str, Tone]] = {
    "best": ("recommended", "better"),
    "on the front": ("Pareto-optimal", "plain"),
    "dominated": ("dominated", "plain"),
    "shown to lose": ("loses accuracy", "worse"),
    "not shown": ("not shown to keep", "plain"),
    "ruled out": ("ruled out", "problem"),
    "not measured": ("not measured", "problem"),
    "significantly worse": ("loses accuracy", "worse"),
    "beyond the margin": ("beyond the budget", "worse"),
}
# Those that hold in every setting, since no latency is in them.
LASTING = ("shown to lose", "not shown", "ruled out", "significantly worse", "beyond the margin")
# Where all files are smaller than that, figures in MB would have too few digits.
SMALLEST, BYTES_PER_KB = 10_000, 1000
# What a file loses where something else than right answers stands for quality.
LOSSES = {"score": "loses score", "agreement": "beyond the tolerance"}
NOBODY = Cell(ABSENT)


@dataclass(frozen=True)
class _Figures:
    """A column: its heading, a cell per variant, and whether it may be left out where there is room for four."""

    column: Column
    cells: tuple[Cell, ...]

    @property
    def empty(self) -> bool:
        """Whether no variant has one."""
        return all(cell.text in ("", ABSENT) for cell in self.cells)


def anchor(name: str) -> str:
    """The anchor of a variant's own part; names hold nothing that an address does not."""
    return f"v-{name}"


def tables(results: Results) -> Iterator[Table]:
    """A table per setting, that which is shown first at the top; one of sizes and accuracies without any."""
    grid = Grid(results)
    first = grid.first
    rest = (setting for setting in grid.settings if setting != first)
    for setting in (first, *rest):
        yield _table(results, grid, setting)


def _table(results: Results, grid: Grid, setting: Setting | None) -> Table:
    labels = variant_labels(results)
    columns = [figures for figures in _columns(results, grid, setting) if not figures.empty]
    rows = tuple(
        Row(labels[variant.name], tuple(figures.cells[index] for figures in columns), opens=anchor(variant.name))
        for index, variant in enumerate(results.variants)
    )
    caption = "Every variant" if setting is None else f"Every variant on {setting.label}"
    key = "" if setting is None else grid.key(setting)
    notes = tuple(_notes(setting))
    return Table(caption, "Variant", tuple(f.column for f in columns), rows, notes, setting=key, sortable=True)


def _notes(setting: Setting | None) -> Iterator[str]:
    if setting is not None and setting.functional_only:
        yield f"{setting.target} is functional only: its times show that the variants run, and are not compared."


def _columns(results: Results, grid: Grid, setting: Setting | None) -> Iterator[_Figures]:
    yield _verdicts(results, grid, setting)
    yield _sizes(results, "Size", lambda variant: variant.size_bytes)
    yield _sizes(results, "Download", lambda variant: variant.deflated_bytes)
    found = _latencies(results, grid, setting)
    if setting is not None:
        speedups = _speedups(results, grid, setting)
        yield _latency_column(results, grid, setting, wide=not speedups.empty)
        yield _times("p95", found, lambda x: x.p95_us)
        yield speedups
    yield from _quality(results)
    yield _times("Initialisation", found, lambda x: x.init_us)
    yield _times("First inference", found, lambda x: x.first_us)
    yield _memory(found)


def _latencies(results: Results, grid: Grid, setting: Setting | None) -> list[Latency | None]:
    return [None if setting is None else grid.latency(variant.name, setting) for variant in results.variants]


def _verdicts(results: Results, grid: Grid, setting: Setting | None) -> _Figures:
    cells = tuple(_verdict(results, grid, setting, variant.name) for variant in results.variants)
    return _Figures(Column("Verdict", numeric=False), cells)


def _verdict(results: Results, grid: Grid, setting: Setting | None, name: str) -> Cell:
    """The choice's word where it was decided; elsewhere only what holds there too."""
    standing = choice.standing(results, name)
    if standing is None:
        return NOBODY
    word, tone = WORDS[standing.verdict]
    if standing.verdict == "shown to lose" and (judgement := verdicts.spoken(results)) is not None:
        word = LOSSES.get(judgement.basis, word)
    beside = "reference" if name == results.reference else ""
    if setting is None or setting == grid.first:
        return Cell(word, beside, tone)
    if verdicts.winner(results, setting) == name:
        return Cell("best here", beside, "better")
    if standing.verdict in LASTING:
        return Cell(word, beside, tone)
    return Cell(beside or ABSENT)


def _sizes(results: Results, label: str, size: Callable[[VariantResult], int | None]) -> _Figures:
    sizes = [size(variant) for variant in results.variants]
    known = [bytes_ for bytes_ in sizes if bytes_ is not None]
    unit, of = ("MB", BYTES_PER_MB) if max(known, default=BYTES_PER_MB) >= SMALLEST else ("kB", BYTES_PER_KB)
    # The smallest of several files may be a thousandth of the largest.
    places = decimals([bytes_ / of for bytes_ in known]) + (min(known, default=of) < of / 10)
    cells = tuple(
        NOBODY if bytes_ is None else Cell(f"{bytes_ / of:.{places}f}", key=float(bytes_)) for bytes_ in sizes
    )
    return _Figures(Column(f"{label} ({unit})", wide=True), cells)


def _latency_column(results: Results, grid: Grid, setting: Setting, *, wide: bool) -> _Figures:
    """The latencies, or in one word why there is none; the reasons stand in the rows' own parts."""
    found = [grid.result(variant.name, setting) for variant in results.variants]
    unit = time_unit([x.latency_us for x in found if isinstance(x, Latency)])
    cells = []
    for result in found:
        if isinstance(result, Latency):
            cells.append(Cell(unit.write(result.latency_us), key=result.latency_us))
        else:
            cells.append(Cell("not measured" if result is None else result.kind, tone="problem"))
    return _Figures(Column(f"Latency ({unit.name})", wide=wide), tuple(cells))


def _times(label: str, found: Sequence[Latency | None], figure: Callable[[Latency], float | None]) -> _Figures:
    times = [None if latency is None else figure(latency) for latency in found]
    unit = time_unit([us for us in times if us is not None])
    cells = tuple(NOBODY if us is None else Cell(unit.write(us), key=us) for us in times)
    return _Figures(Column(f"{label} ({unit.name})", wide=True), cells)


def _memory(found: Sequence[Latency | None]) -> _Figures:
    known = [None if latency is None else latency.memory_mb for latency in found]
    places = decimals([value for value in known if value])
    cells = tuple(NOBODY if value is None else Cell(f"{value:.{places}f}", key=value) for value in known)
    return _Figures(Column("Memory (MiB)", wide=True), cells)


def _speedups(results: Results, grid: Grid, setting: Setting) -> _Figures:
    cells = tuple(_speedup(results, grid, setting, variant.name) for variant in results.variants)
    # The reference's own alone says nothing.
    known = any(cell.key != 1.0 and cell != NOBODY for cell in cells)
    return _Figures(Column("Speed-up"), cells if known else (NOBODY,) * len(cells))


def _speedup(results: Results, grid: Grid, setting: Setting, name: str) -> Cell:
    latency, found = grid.latency(name, setting), grid.speed(name, setting)
    if name == results.reference:
        return Cell("1", key=1.0) if latency is not None else NOBODY
    if setting.functional_only or latency is None:
        return NOBODY
    if found is not None and found.obstacle is not None:
        return Cell("not compared", tone="problem")
    ratio = latency.ratio if found is None else found.ratio
    if ratio is None:
        return NOBODY
    value, _, ends = verdicts.speed(found, ratio).text.partition(" ")
    word = "" if found is None else f"{found.verdict}, "
    tone = "plain" if found is None else verdicts.SPEED_TONES.get(found.verdict, "plain")
    return Cell(value, f"{word}{ends.strip('()')}", tone, ratio.value)


def _quality(results: Results) -> Iterator[_Figures]:
    if results.evaluations:
        found = {evaluation.variant: evaluation for evaluation in results.evaluations}
        shown = [found.get(variant.name) for variant in results.variants]
        yield _Figures(Column("Accuracy"), tuple(_accuracy(results, evaluation) for evaluation in shown))
        yield _Figures(Column("Won / lost", wide=True), tuple(_won_lost(evaluation) for evaluation in shown))
    elif any(answers.score is not None for answers in results.answers):
        scores = {answers.variant: answers.score for answers in results.answers}
        known = [scores.get(variant.name) for variant in results.variants]
        cells = tuple(NOBODY if s is None else Cell(f"{s.value:.4g}", key=s.value) for s in known)
        yield _Figures(Column("Score"), cells)
    elif results.answers:
        yield _Figures(Column("Answers", numeric=False), tuple(_answers(results, v.name) for v in results.variants))


def _accuracy(results: Results, evaluation: Evaluation | None) -> Cell:
    if evaluation is None:
        return NOBODY
    judgement = verdicts.spoken(results)
    kept = None if judgement is None else judgement.of(evaluation.variant).accuracy
    word = "" if kept in (None, "reference", "not judged") else str(kept)
    share = evaluation.accuracy.value
    return Cell(percent(share), word, verdicts.KEPT_TONES.get(word, "plain"), share)


def _won_lost(evaluation: Evaluation | None) -> Cell:
    test = None if evaluation is None else evaluation.mcnemar
    if test is None:
        return NOBODY
    won, lost = test.only_variant_right, test.only_reference_right
    return Cell(f"{won} / {lost}", key=float(won - lost))


def _answers(results: Results, name: str) -> Cell:
    judgement = verdicts.spoken(results)
    if name == results.reference or judgement is None:
        return Cell("reference" if name == results.reference else ABSENT)
    words: dict[str, tuple[str, Tone]] = {
        "shown to keep": ("within the tolerance", "better"),
        "shown to lose": ("beyond the tolerance", "worse"),
    }
    word, tone = words.get(judgement.of(name).accuracy, (ABSENT, "plain"))
    return Cell(word, tone=tone)
