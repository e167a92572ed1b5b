"""What the tables answer: a row of each question."""

from dataclasses import dataclass

from common.schema.benchmark import Runner
from common.schema.history import Kind


@dataclass(frozen=True)
class FigureRow:
    """A file in the session at `place`, in microseconds."""

    place: int
    variants: tuple[str, ...]
    model: str
    backend: str
    threads: int
    runner: Runner
    us: float
    low_us: float
    high_us: float
    processes: int


@dataclass(frozen=True)
class MarkRow:
    """A fact that differs from the session before; `scope` is the experiment whose setting it is, or empty."""

    place: int
    target: str
    kind: Kind
    scope: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class FileRow:
    """A variant whose file, by its hash, differs from the session before."""

    place: int
    target: str
    experiment: str
    variant: str
    before: str
    after: str


@dataclass(frozen=True)
class SeriesRow:
    """A variant in one setting over the sessions at `places`: latencies, shares of the reference's where there are
    some, the file's hash and the reference's."""

    target: str
    processor: str | None
    experiment: str
    variant: str
    backend: str
    threads: int
    runner: Runner
    places: tuple[int, ...]
    us: tuple[float, ...]
    beside: tuple[float | None, ...]
    models: tuple[str, ...]
    references: tuple[str | None, ...]


@dataclass(frozen=True)
class Place:
    """Where a session that was added as `number` stands in time, and the median load over its processes."""

    number: int
    place: int
    load: float | None
