"""`history.json`: every session of the devices over all runs of a folder, and what changed. Version 1.

Sessions stand in the order of time; marks and series name them by their place in it, from 0 on.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.schema.base import Count, Model, Name, Sha256, Share
from common.schema.benchmark import Runner
from common.schema.comparison import Spread

Kind = Literal["processor", "build", "tool", "settings", "file"]
# A latency by itself in microseconds, or as a share of that of the reference in the same session.
Measure = Literal["latency", "beside the reference"]
Positive = Annotated[float, Field(gt=0)]


class Figure(Model):
    """A file in a session: `us` is the median over its processes' typical latencies, between the lowest and the highest
    of them, in microseconds. `variants` are the names that the file had there."""

    variants: tuple[Name, ...]
    model_sha256: Sha256
    backend: str
    threads: int
    runner: Runner
    us: Positive
    low_us: Positive
    high_us: Positive
    processes: Count


class PastSession(Model):
    """A session. `run` is the name of its run's folder, `began` tells it from every other of its target.

    Only sessions of equal `conditions` may be compared. `processor_sha256` is of the facts that name the processor,
    None where they are not told. `reference_sha256` is the file that the others were compared with. `ledger`: every
    process is on record; else the figures are those of a results file, which was finished `at` then. `load` is the
    machine's over one minute, the median over the processes.
    """

    run: str
    experiment: Name
    target: str
    at: datetime
    began: str
    conditions: str
    processor_sha256: Sha256 | None
    reference_sha256: Sha256 | None
    ledger: bool
    load: float | None
    figures: tuple[Figure, ...]


class Device(Model):
    """A target with one processor: its sessions, and by how much one and the same file differs between two of them."""

    target: str
    serial: str | None
    processor: str
    processor_sha256: Sha256 | None
    sessions: Count
    first_at: datetime
    last_at: datetime
    spreads: tuple[Spread, ...]


class Mark(Model):
    """What is another than in the session of the target before that told it. Settings are of an experiment, a file is
    of a variant."""

    session: Count
    target: str
    kind: Kind
    what: str
    before: str
    after: str
    experiment: Name | None = None
    variant: Name | None = None


class Point(Model):
    """A series in a session; `new_file` where the file, or the reference's beside it, is another than before."""

    session: Count
    value: Positive
    new_file: bool = False


class Shift(Model):
    """A change that is shown: from `session` on. `before` and `after` are the medians of the stretches on both sides,
    with so many sessions; `p` is that of the test. `marks` are places of marks in the history's: what changed at the
    same time, give or take a session of the series."""

    session: Count
    before: Positive
    after: Positive
    sessions_before: Count
    sessions_after: Count
    p: Share
    marks: tuple[Count, ...]

    @property
    def share(self) -> float:
        """By what share it got longer, or shorter below 0."""
        return self.after / self.before - 1


class Series(Model):
    """A variant of an experiment in one setting on one processor, over the sessions. `tested`: there are enough
    sessions for a change to be shown."""

    target: str
    processor_sha256: Sha256 | None
    experiment: Name
    variant: Name
    backend: str
    threads: int
    runner: Runner
    measure: Measure
    points: tuple[Point, ...]
    tested: bool
    shifts: tuple[Shift, ...]


class LeftOut(Model):
    """A run, or a part of one, that is not in the history, and why."""

    run: str
    reason: str


class Method(Model):
    """How changes were looked for. A history in which nothing changed names one with a chance of at most `level`,
    shared by `series` that have enough sessions; a series has them from `sessions_needed` on. Changes below `floor`, a
    share, are not named."""

    test: str
    level: Share
    series: Count
    sessions_needed: Count
    floor: Share


class History(Model):
    """`folder` holds the runs; `device` was asked for alone. `older` sessions are left out, since there are too many.
    `versions` are of the packages that made it."""

    schema_version: Literal[1] = 1
    version: str
    versions: dict[str, str]
    folder: str
    device: str | None
    sessions: tuple[PastSession, ...]
    devices: tuple[Device, ...]
    marks: tuple[Mark, ...]
    series: tuple[Series, ...]
    testing: Method
    older: Count
    left_out: tuple[LeftOut, ...]

    @model_validator(mode="after")
    def _places_exist(self) -> Self:
        marks = [number for series in self.series for shift in series.shifts for number in shift.marks]
        places = [mark.session for mark in self.marks]
        places += [point.session for series in self.series for point in series.points]
        places += [shift.session for series in self.series for shift in series.shifts]
        if max(places, default=-1) >= len(self.sessions) or max(marks, default=-1) >= len(self.marks):
            raise ValueError("it names sessions or marks that it does not have")
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target once."""
        return tuple(dict.fromkeys(device.target for device in self.devices))
