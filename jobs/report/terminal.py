"""The report in a few lines for a terminal."""

import re
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.artifact import read
from common.errors import UsageError
from common.numbers import ABSENT, clipped, count, decimal, megabytes, percent
from common.printable import clean, tell
from common.schema.choice import Choice
from common.schema.results import Latency, Results
from jobs.report import document, verdicts, why
from jobs.report.names import Grid, Setting, variant_labels

# Columns of text.
WIDTH = 100
NAME_LENGTH = 26
HEADING_LENGTH = 12
# Settings that WIDTH has room for side by side, with and without ratios.
WITH_RATIOS, WITHOUT_RATIOS = 2, 3
# A recommendation up to its figures: what it is by, whom and why. No name has a colon in it.
RECOMMENDED = re.compile(r"(Recommended[^:]*: [^:]*): ")
# Of both columns: slower and a loss of accuracy are worse.
LEGEND = {"▲": "faster", "▼": "worse", "≈": "as fast", "✓": "accuracy kept", "?": "not shown"}
WINNER = "\N{RIGHTWARDS ARROW}"


def show(folder: Path) -> None:
    """Print the main figures of the report in `folder`, what it recommends, and where it is.

    The tables are at most 100 columns wide; each line below them is one, whatever its length."""
    results = read(folder / "results.json", Results)
    console = Console(width=WIDTH, highlight=False)
    for table in tables(results):
        console.print(table)
    signs = legend(results)
    if signs:
        tell(signs)
    if results.choice is not None:
        tell(recommended(results.choice))
    placed(folder / "report.html")


def placed(page: Path, what: str = "report") -> None:
    """Print where the report, or another page, is."""
    tell(f"{what}: {page}")


def recommended(choice: Choice) -> str:
    """What to ship and why, in one sentence; its figures stand in the tables."""
    sentence = clean(choice.recommendation[0])
    found = RECOMMENDED.match(sentence)
    told = sentence if found is None else f"{found[1]}."
    sure = choice.confidence
    return told if sure is None else f"{told} This is {sure.word}: {clean(sure.reason)}."


def explain(folder: Path, first: str, second: str) -> None:
    """Print two variants of the report in `folder` layer by layer, with the largest reasons for their difference.

    Raises UsageError for a variant that is not in it, or where the operators of both were never timed.
    """
    results = read(folder / "results.json", Results)
    known = [variant.name for variant in results.variants]
    for name in (first, second):
        if name not in known:
            raise UsageError(f"there is no variant {name} in {folder}", hint=f"it has {', '.join(known)}")
    found = list(why.between(results, first, second))
    if not found:
        hint = "set profile = true in [benchmark], or name two that ran on one backend"
        raise UsageError(f"the operators of {first} and {second} were not timed on one backend", hint=hint)
    console = Console(width=WIDTH, highlight=False)
    for table in found:
        console.print(_layers(table))
        for note in table.notes:
            console.print(Text(clean(note)))


def _layers(found: document.Table) -> Table:
    table = Table(title=Text(clean(found.caption)), title_justify="left", box=box.SIMPLE)
    table.add_column(found.corner, max_width=NAME_LENGTH, no_wrap=True)
    for column in found.columns:
        label = Text(clipped(clean(column.label), NAME_LENGTH))
        table.add_column(label, justify="right" if column.numeric else "left", no_wrap=True)
    for row in found.rows:
        # What stands outside of a delegate is marked; the notes say how much that is.
        cells = [f"{clean(cell.text)}{' *' if cell.note else ''}" for cell in row.cells]
        table.add_row(*(Text(cell) for cell in (clean(row.header), *cells)))
    if any(cell.note for row in found.rows for cell in row.cells):
        table.caption = "* outside of the delegate"
    return table


def tables(results: Results) -> tuple[Table, ...]:
    """Size, accuracy, latencies and ratios, as many tables as the width asks for."""
    grid = Grid(results)
    groups = []
    for target in grid.targets:
        settings = grid.of_target(target)
        step = WITH_RATIOS if any(_compared(results, grid, setting) for setting in settings) else WITHOUT_RATIOS
        groups += [settings[start : start + step] for start in range(0, len(settings), step)]
    return tuple(_table(results, grid, group) for group in groups or [()])


def legend(results: Results) -> str:
    """What the signs in the tables mean, of those that stand there."""
    judgement = verdicts.spoken(results)
    if judgement is None:
        return ""
    grid = Grid(results)
    speeds = (grid.speed(variant.name, setting) for variant in results.variants for setting in grid.settings)
    signs = {verdicts.sign(speed) for speed in speeds}
    signs |= {verdicts.KEPT_SIGNS[found.accuracy] for found in judgement.variants if results.evaluations}
    return "  ".join(f"{sign} {word}" for sign, word in LEGEND.items() if sign in signs)


def _compared(results: Results, grid: Grid, setting: Setting) -> bool:
    found = [grid.latency(variant.name, setting) for variant in results.variants]
    return not setting.functional_only and any(latency is not None and latency.ratio is not None for latency in found)


def _table(results: Results, grid: Grid, settings: tuple[Setting, ...]) -> Table:
    title = clipped(clean(settings[0].target), WIDTH // 2) if settings else ""
    functional = " (functional only)" if any(setting.functional_only for setting in settings) else ""
    table = Table(title=Text(title + functional), title_justify="left", box=box.SIMPLE)
    compared = {setting: _compared(results, grid, setting) for setting in settings}
    table.add_column("variant", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    if results.evaluations:
        table.add_column("accuracy", justify="right", no_wrap=True)
    programs = any(setting.program for setting in settings)
    for setting in settings:
        heading = [clipped(clean(setting.backend_name), HEADING_LENGTH), *([setting.program] if programs else [])]
        heading += [count(setting.threads, "thread"), "µs"]
        table.add_column(Text("\n".join(heading)), justify="right", no_wrap=True)
        if compared[setting]:
            table.add_column("\n" * (len(heading) - 1) + "ratio", justify="right", no_wrap=True)
    best = None if results.choice is None else results.choice.best
    labels = variant_labels(results)
    for variant in results.variants:
        mark = f"{WINNER} " if variant.name == best else "  " if best is not None else ""
        cells = [mark + clipped(clean(labels[variant.name]), NAME_LENGTH), megabytes(variant.size_bytes)]
        cells += [_accuracy(results, variant.name)] if results.evaluations else []
        for setting in settings:
            cells.append(_latency(grid, variant.name, setting))
            cells += [_ratio(grid, variant.name, setting)] if compared[setting] else []
        table.add_row(*(Text(cell) for cell in cells), style="bold" if variant.name == best else None)
    return table


def _accuracy(results: Results, name: str) -> str:
    found = next((e for e in results.evaluations if e.variant == name), None)
    judgement = verdicts.spoken(results)
    sign = "" if judgement is None else verdicts.KEPT_SIGNS[judgement.of(name).accuracy]
    return ABSENT if found is None else f"{percent(found.accuracy.value)} {sign:1}".rstrip()


def _latency(grid: Grid, name: str, setting: Setting) -> str:
    result = grid.result(name, setting)
    if isinstance(result, Latency):
        return decimal(result.latency_us)
    return "not measured" if result is None else result.kind


def _ratio(grid: Grid, name: str, setting: Setting) -> str:
    """`1.26 ▲`, with the sign of the judge's word."""
    latency, speed = grid.latency(name, setting), grid.speed(name, setting)
    shown = None if latency is None else latency.ratio if speed is None else speed.ratio
    return "" if shown is None else f"{shown.value:.2f} {verdicts.sign(speed)}".rstrip()
