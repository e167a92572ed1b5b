"""Series over the sessions, and which of them changed when. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from common.intervals import LEAST_FLOOR
from common.schema.history import Mark, Measure, Method, Point, Series, Shift
from jobs.history import pettitt
from jobs.history.rows import FileRow, MarkRow, SeriesRow

# The chance that a history in which nothing changed names a change.
LEVEL = 0.05
SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Line:
    """The points of a series in one measure, before anything is judged. `files` are the hashes of the variant's file
    and, where it is beside it, of the reference's."""

    row: SeriesRow
    measure: Measure
    places: tuple[int, ...]
    values: tuple[float, ...]
    files: tuple[tuple[str, str | None], ...]


def marks(facts: Iterator[MarkRow], files: Iterator[FileRow]) -> tuple[Mark, ...]:
    """Everything that changed from a session to a later one of the same target, in order."""
    found = [
        Mark(
            session=row.place,
            target=row.target,
            kind=row.kind,
            what=row.what,
            before=row.before,
            after=row.after,
            experiment=row.scope or None,
        )
        for row in facts
    ]
    found += (
        Mark(
            session=row.place,
            target=row.target,
            kind="file",
            what=f"the file of {row.variant}",
            before=row.before[:SHOWN_DIGITS],
            after=row.after[:SHOWN_DIGITS],
            experiment=row.experiment,
            variant=row.variant,
        )
        for row in files
    )
    # A file that changed on several backends changed once.
    return tuple(dict.fromkeys(sorted(found, key=lambda mark: mark.session)))


def judged(rows: Sequence[SeriesRow], found: Sequence[Mark]) -> tuple[tuple[Series, ...], Method]:
    """Every series, with the changes that are shown, and how they were looked for."""
    lines = [line for row in rows for line in lines_of(row)]
    lengths = [len(line.places) for line in lines]
    share = pettitt.together(lengths, LEVEL)
    level = LEVEL / share
    series = tuple(_series(line, found, level) for line in lines)
    tested = sum(one.tested for one in series)
    # Where none has enough, all would share the level.
    sharing = share if tested else max(1, len(lines))
    testing = Method(
        test=pettitt.NAME,
        level=LEVEL,
        series=tested,
        sessions_needed=pettitt.needed(LEVEL / sharing),
        floor=LEAST_FLOOR,
    )
    return series, testing


def lines_of(row: SeriesRow) -> Iterator[Line]:
    """The latencies, and where the reference was measured in the same sessions their share of the reference's."""
    yield Line(row, "latency", row.places, row.us, tuple((model, None) for model in row.models))
    both = [(place, value, (model, reference)) for place, value, model, reference in _beside(row)]
    if both:
        places, values, files = zip(*both, strict=True)
        yield Line(row, "beside the reference", places, values, files)


def _beside(row: SeriesRow) -> Iterator[tuple[int, float, str, str | None]]:
    for place, value, model, reference in zip(row.places, row.beside, row.models, row.references, strict=True):
        if value is not None:
            yield place, value, model, reference


def _series(line: Line, found: Sequence[Mark], level: float) -> Series:
    row, tested = line.row, pettitt.least_p(len(line.places)) <= level
    befores = (None, *line.files)
    points = tuple(
        Point(session=place, value=value, new_file=before is not None and before != file)
        for place, value, file, before in zip(line.places, line.values, line.files, befores, strict=False)
    )
    return Series(
        target=row.target,
        processor_sha256=row.processor,
        experiment=row.experiment,
        variant=row.variant,
        backend=row.backend,
        threads=row.threads,
        runner=row.runner,
        measure=line.measure,
        points=points,
        tested=tested,
        shifts=tuple(_shifts(line, found, level)) if tested else (),
    )


def _shifts(line: Line, found: Sequence[Mark], level: float) -> Iterator[Shift]:
    changes = pettitt.changes(line.values, level)
    ends = (0, *(change.place for change in changes), len(line.values))
    for change, start, end in zip(changes, ends, ends[2:], strict=False):
        before, after = line.values[start : change.place], line.values[change.place : end]
        shift = Shift(
            session=line.places[change.place],
            before=median(before),
            after=median(after),
            sessions_before=len(before),
            sessions_after=len(after),
            p=change.p,
            marks=tuple(_beside_it(line, found, change.place)),
        )
        if max(shift.after / shift.before, shift.before / shift.after) > 1 + LEAST_FLOOR:
            yield shift


def _beside_it(line: Line, found: Sequence[Mark], place: int) -> Iterator[int]:
    """Places of the marks from the session of the series before the one with the change to the one after it: where
    exactly it lies is known no better."""
    first, last = line.places[max(0, place - 2)], line.places[min(len(line.places) - 1, place + 1)]
    row = line.row
    references = {reference[:SHOWN_DIGITS] for _, reference in line.files if reference is not None}
    for number, mark in enumerate(found):
        of_it = mark.target == row.target and mark.experiment in (None, row.experiment)
        file_of_it = mark.variant in (None, row.variant) or mark.after in references
        if of_it and file_of_it and first < mark.session <= last:
            yield number
