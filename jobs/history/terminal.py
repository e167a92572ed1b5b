"""A history in a terminal: the sessions of each device, what changed, and how far two sessions differ by themselves."""

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common import comparison_words
from common import history_words as words
from common.numbers import ABSENT, clipped, count, decimal
from common.printable import clean, tell
from common.schema.history import History

WIDTH, CELL, NARROW = 100, 60, 24
# Newest sessions of a device, changes, and runs that are left out; the JSON has all.
MOST_SESSIONS, MOST_EVENTS, MOST_LEFT_OUT = 20, 20, 20
HEADS = ("When (UTC)", "Run", "Experiment", "Files", "Load", "What changed")


def show(history: History, folder: Path) -> None:
    """Print the history that was written to `folder`."""
    tell(words.heading(history))
    console = Console(width=WIDTH, highlight=False)
    for target in history.targets:
        console.print(_table(history, target))
    for device in history.devices:
        tell(words.device(device))
        for found in device.spreads:
            tell(f"spread: {comparison_words.spread(found)}")
    for text in words.method(history):
        tell(text)
    events = words.events(history)
    for event in events[:MOST_EVENTS]:
        tell(f"change: {words.event(history, event)}")
    _more(len(events), MOST_EVENTS, "change")
    if not events and history.testing.series:
        tell("no change is shown")
    for one in history.left_out[:MOST_LEFT_OUT]:
        tell(f"left out: {one.run}: {one.reason}")
    _more(len(history.left_out), MOST_LEFT_OUT, "run", " left out")
    tell(f"history: {folder / 'history.json'}")


def _more(number: int, shown: int, noun: str, rest: str = "") -> None:
    if number > shown:
        tell(f"and {count(number - shown, f'more {noun}')}{rest}")


def _table(history: History, target: str) -> Table:
    own = [(place, history.sessions[place]) for place in words.places(history, target)]
    title = target if len(own) <= MOST_SESSIONS else f"{target}: the newest {MOST_SESSIONS} of {len(own)} sessions"
    table = Table(title=Text(clipped(clean(title), WIDTH)), title_justify="left", box=box.SIMPLE)
    for head in HEADS:
        table.add_column(head, overflow="fold", justify="right" if head in ("Files", "Load") else "left")
    for place, past in own[-MOST_SESSIONS:]:
        files = len({figure.model_sha256 for figure in past.figures})
        load = ABSENT if past.load is None else decimal(past.load)
        names = (clipped(clean(name), NARROW) for name in (past.run, past.experiment))
        told = "; ".join(_changed(history, target, place)) or ABSENT
        cells = (words.when(past), *names, str(files), load, clipped(clean(told), 2 * CELL))
        table.add_row(*map(Text, cells))
    return table


def _changed(history: History, target: str, place: int) -> Iterator[str]:
    """In short; files are counted."""
    own = [mark for mark in history.marks if mark.session == place and mark.target == target]
    yield from (clipped(words.mark(mark), CELL) for mark in own if mark.kind != "file")
    files = sum(mark.kind == "file" for mark in own)
    if files:
        yield count(files, "other file")
