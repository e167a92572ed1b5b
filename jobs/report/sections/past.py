"""The page of a history: what changed, and for each device the chart, the series and the sessions. Pure; nothing is
decided here."""

from collections.abc import Iterator, Sequence

from common import comparison_words
from common import history_words as words
from common.numbers import ABSENT, clipped, count, decimal
from common.schema.history import History, Measure, PastSession, Series
from jobs.report.blocks import Notes, Tone
from jobs.report.document import Block, Cell, Column, Document, Row, Section, Table, drawn
from jobs.report.draw.past import chart, lettered

TITLE_LENGTH, SENTENCE = 60, 400
# Rows of a table; the JSON and the Parquet file have all.
MOST = 200
TONES: dict[str, Tone] = {"longer": "worse", "shorter": "better"}
CAPTIONS: dict[Measure, str] = {
    "latency": "Latencies, what changed first",
    "beside the reference": "Latencies as a share of the reference's, what changed first",
}
SERIES = ("Change", "Where", "Sessions", "First", "Latest", "Lowest", "Highest")


def document(history: History) -> Document:
    """The whole page."""
    devices = tuple(_device(history, target, number) for number, target in enumerate(history.targets))
    left = tuple(f"{one.run}: {one.reason}" for one in history.left_out)
    out = (Section("left-out", "Left out", (), (Notes(count(len(left), "run or part", "runs or parts"), left),)),)
    found = Section("method", "How changes are found", tuple(words.method(history)))
    return Document("History", words.heading(history), (_changes(history), *devices, *(out if left else ()), found))


def _changes(history: History) -> Section:
    events = words.events(history)
    if not events:
        told = "No change is shown." if history.testing.series else "There are too few sessions to show a change."
        return Section("changes", "What changed", (told, tuple(words.method(history))[-1]))
    rows = []
    for event in events[:MOST]:
        past = history.sessions[event.session]
        names = tuple(dict.fromkeys(f"{series.variant}, {words.setting(series)}" for series, _ in event.members))
        what = words.together(event)
        cells = (
            Cell(what, clipped("; ".join(names), SENTENCE), "worse" if event.longer else "better"),
            Cell(clipped(words.coincides(event), SENTENCE)),
            Cell(event.target),
            Cell(clipped(past.run, TITLE_LENGTH)),
        )
        rows.append(Row(words.when(past), cells))
    columns = tuple(Column(label, numeric=False) for label in ("What", "At the same time", "Device", "Run"))
    table = Table("Changes that are shown, the newest first", "From (UTC)", columns, tuple(rows), _more(len(events)))
    return Section("changes", "What changed", (), (table,))


def _device(history: History, target: str, number: int) -> Section:
    own = [device for device in history.devices if device.target == target]
    told = [text for device in own for text in (words.device(device), *map(comparison_words.spread, device.spreads))]
    blocks: list[Block] = [*drawn(chart(history, target, number)), *_marks(history, target)]
    for measure in CAPTIONS:
        series = [one for one in history.series if (one.target, one.measure) == (target, measure)]
        blocks += [_series(series, measure)] if series else []
    blocks.append(_sessions(history, target))
    paragraphs = tuple(f"{text[:1].upper()}{text[1:]}." for text in told)
    return Section(f"device-{number}", clipped(target, TITLE_LENGTH), paragraphs, tuple(blocks))


def _marks(history: History, target: str) -> Iterator[Table]:
    found = lettered(history, target)
    if found:
        rows = tuple(
            Row(letter, (Cell(words.when(history.sessions[place])), Cell("; ".join(map(words.mark, marks)))))
            for letter, (place, marks) in reversed(found.items())
        )
        columns = Column("First session (UTC)", numeric=False), Column("What changed", numeric=False)
        yield Table("Changes of the device, tools and settings", "Line", columns, rows)


def _series(found: Sequence[Series], measure: Measure) -> Table:
    """Those that changed last come first."""
    ordered = sorted(found, key=lambda one: (-max((s.session for s in one.shifts), default=-1), not one.tested))
    columns = tuple(Column(label, numeric=place > 1) for place, label in enumerate(SERIES))
    rows = tuple(Row(one.variant, _cells(one)) for one in ordered[:MOST])
    return Table(CAPTIONS[measure], "Variant", columns, rows, _more(len(ordered)), sortable=True)


def _cells(series: Series) -> tuple[Cell, ...]:
    values = [point.value for point in series.points]
    word = words.verdict(series)
    note = words.shift(series, series.shifts[-1]) if series.shifts else ""
    figures = (values[0], values[-1], min(values), max(values))
    return (
        Cell(word, note, TONES.get(word, "plain")),
        Cell(words.setting(series), series.experiment),
        Cell(str(len(values)), key=len(values)),
        *(Cell(words.figure(series, value), key=value) for value in figures),
    )


def _sessions(history: History, target: str) -> Table:
    """The newest first."""
    places = words.places(history, target)[::-1]
    rows = tuple(_session(history, place, history.sessions[place]) for place in places[:MOST])
    heads = (
        ("Run", False),
        ("Experiment", False),
        ("Files", True),
        ("Processes", True),
        ("Load", True),
        ("What changed", False),
    )
    columns = tuple(Column(label, numeric=numeric) for label, numeric in heads)
    return Table("Every session, the newest first", "Began (UTC)", columns, rows, _more(len(places)), folded=True)


def _session(history: History, place: int, past: PastSession) -> Row:
    changed = [words.mark(m) for m in history.marks if m.session == place and m.target == past.target]
    cells = (
        Cell(clipped(past.run, TITLE_LENGTH), "" if past.ledger else "from its results file"),
        Cell(past.experiment),
        Cell(str(len({figure.model_sha256 for figure in past.figures}))),
        Cell(f"{sum(figure.processes for figure in past.figures):,}"),
        Cell(ABSENT if past.load is None else decimal(past.load)),
        Cell(clipped("; ".join(changed), SENTENCE) or ABSENT),
    )
    return Row(words.when(past), cells)


def _more(number: int) -> tuple[str, ...]:
    return (f"And {count(number - MOST, 'more row')}.",) if number > MOST else ()
