"""`benchmark.json` and the lines of its ledger. Version history: 1 first."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, FileRef, Interval, Model, Name, Sha256
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Outcome, Unsupported
from common.schema.provenance import Artifact


class Environment(Model):
    """The machine that measured. `facts` are ordered label/value pairs for people to read.

    `functional_only` marks a target whose latencies must never be ranked (an emulator).
    """

    kind: Literal["host", "android"]
    name: str
    fingerprint: Sha256
    functional_only: bool
    facts: tuple[tuple[str, str], ...]


class Cell(Model):
    """What one process measures."""

    variant: Name
    model_sha256: Sha256
    backend: str
    threads: Annotated[int, Field(ge=1)]


class SessionLine(Model):
    """Ledger: a session began. Only cells of one session and round may be paired."""

    kind: Literal["session"] = "session"
    session: Count
    seed: int
    cells: tuple[Cell, ...]
    rounds: int
    fingerprint: Sha256
    settings_sha256: Sha256
    started_at: datetime


class RunLine(Model):
    """Ledger: one process ended. `samples_us` are all its timed runs, in order, steady state only."""

    kind: Literal["run"] = "run"
    session: Count
    round: Count
    order: Count
    cell: Cell
    started_at: datetime
    load_1min: float | None
    outcome: Outcome
    warmup_samples_us: tuple[float, ...]
    samples_us: tuple[float, ...]


LedgerLine = Annotated[SessionLine | RunLine, Field(discriminator="kind")]


class Summary(Model):
    """A cell over its rounds. `latency_us` is the median over the processes' median latencies, with the
    lowest and highest process; `interval` its bootstrap confidence interval (None from one round).

    `ratio` is the reference's latency over this cell's, paired by round (above 1: faster than the
    reference); None for the reference itself or when no round can be paired.
    """

    kind: Literal["summary"] = "summary"
    rounds: Annotated[int, Field(ge=1)]
    latency_us: float
    latency_low_us: float
    latency_high_us: float
    interval: Interval | None
    ratio: Interval | None
    paired_rounds: Count
    init_us: float
    first_us: float
    warmup_us: float
    std_us: float | None
    p5_us: float | None
    p95_us: float | None
    memory_init_mib: float
    memory_overall_mib: float


class Row(Model):
    """A cell's result. `failed_rounds` counts processes of this session that failed beside measured ones."""

    cell: Cell
    session: Count
    result: Annotated[Summary | Unsupported | Failed, Field(discriminator="kind")]
    failed_rounds: Count


class Benchmark(Artifact):
    """All variants on one target."""

    schema_version: Literal[1] = 1
    target: Environment
    reference: Name
    settings: Settings
    rows: tuple[Row, ...]
    ledger: FileRef
    warnings: tuple[str, ...]
