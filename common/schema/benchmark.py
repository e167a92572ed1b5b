"""`benchmark.json` and the lines of its ledger.

Version history: 1 first; 2 adds Android devices: how a cell was run, what its delegate did, its answers and its
operators; 3 adds the protocol of segments between references: their ratios by round, CPU time and the noise that the
references showed, and memory in processes of its own. Versions 1 and 2 are still read.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, FileRef, Interval, Model, Name, Sha256
from common.schema.caution import Caution
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Delegation, Failed, MemoryOutcome, Outcome, Unsupported
from common.schema.power import Energy, NoEnergy, PowerReading, StateLine
from common.schema.provenance import Artifact

# The program that measures: the classic benchmark_model as an executable or as an Android app, that of LiteRT 2.x, and
# the second one of its kind where the user gives two.
Runner = Literal["binary", "litert", "binary-2", "litert-2", "app"]
# As they follow the name of a backend.
RUNNERS: dict[Runner, str] = {
    "binary": "",
    "litert": " LiteRT 2.x",
    "binary-2": " second build",
    "litert-2": " LiteRT 2.x second build",
    "app": " app",
}
# Of a process: a reference before its segment or after it, or one of the segment's own.
Place = Literal["before", "within", "after"]
# Why a session got no more rounds: its intervals were narrow enough, it had as many as allowed, its time was over, or
# its references differed so often that more rounds would show nothing.
Stopped = Literal["narrow", "most rounds", "budget", "too busy"]


class Cell(Model):
    """What one process measures, and the program that does (`runner`)."""

    variant: Name
    model_sha256: Sha256
    backend: str
    threads: Annotated[int, Field(ge=1)]
    runner: Runner = "binary"


class SessionLine(Model):
    """Ledger: a session began, to have at least `rounds`. Only cells of one session and round may be paired.

    `facts` of the machine and `settings` say what the hashes stand for; empty in ledgers of earlier versions.
    `reference` is the variant between whose processes the others run; None in sessions of the form before, where
    every round held it once. `app_sha256` is that of the app, None without one and in ledgers of earlier versions.
    `tools` are hashes that the fingerprint leaves out, since they concern some cells alone: of all executables but the
    runner `binary`, by runner, and of the libraries of an NPU (`npu`).
    """

    kind: Literal["session"] = "session"
    session: Count
    seed: int
    cells: tuple[Cell, ...]
    rounds: int
    fingerprint: Sha256
    settings_sha256: Sha256
    started_at: datetime
    facts: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    reference: Name | None = None
    app_sha256: Sha256 | None = None
    tools: tuple[tuple[str, Sha256], ...] = ()


class RunLine(Model):
    """Ledger: one process ended. `samples_us` are all its timed runs, in order, steady state only.

    `order` counts the processes of the session. A process stands in a `segment` of its round, among its cells or
    as a reference before or after them; `attempt` counts how often the segment was begun again, `retry` how often
    the process was. `took_s` is how long it all took. Sessions of the form before have none of these.
    """

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
    segment: Count = 0
    attempt: Count = 0
    place: Place = "within"
    retry: Count = 0
    took_s: float | None = None


class ExaminationLine(Model):
    """Ledger: a cell of a session was examined, with these settings."""

    kind: Literal["examination"] = "examination"
    session: Count
    cell: Cell
    outputs_images: Count
    profile: bool | None
    examination: Examination


class MemoryLine(Model):
    """Ledger: a process ended that was run for the memory of a session's cell alone. It has no times."""

    kind: Literal["memory"] = "memory"
    session: Count
    cell: Cell
    outcome: MemoryOutcome


class SustainedStart(Model):
    """Ledger: a cell's sustained load begins. `attempt` counts its begins; `idle` was read over the minute that ends
    with `before`; empty and None where there is no battery. Before that the place cooled down for `cooled_s`."""

    kind: Literal["sustained_start"] = "sustained_start"
    session: Count
    cell: Cell
    duration_s: float
    attempt: Count
    started_at: datetime
    idle: tuple[PowerReading, ...]
    before: PowerReading | None
    cooled_s: float = 0.0


class SustainedLine(Model):
    """Ledger: one process of a sustained load ended, `start_s` to `end_s` after the load's begin."""

    kind: Literal["sustained"] = "sustained"
    session: Count
    cell: Cell
    attempt: Count
    start_s: float
    end_s: float
    outcome: Outcome
    power: PowerReading | None


LedgerLine = Annotated[
    SessionLine | RunLine | ExaminationLine | MemoryLine | SustainedStart | SustainedLine | StateLine,
    Field(discriminator="kind"),
]


class RoundRatio(Model):
    """The reference's latency over a cell's in one round, the reference interpolated to the cell's moment."""

    round: Count
    value: float


class Noise(Model):
    """What the references of one session told of it: they are one file, measured again and again.

    `floor` is a share: a file differs from itself by up to so much here, so that no smaller difference is claimed.
    It is None where no reference stood between two others. `segments` counts those that were asked for and `redone`
    the repetitions of those whose two references differed; `too_busy` says that nothing can be claimed.
    """

    session: Count
    backend: str
    threads: int
    runner: Runner
    floor: float | None
    pairs: Count
    segments: Count
    redone: Count
    too_busy: bool


class SessionFacts(Model):
    """A session of the measurements: how many rounds and processes it had, how long they took and why it ended.

    `wide` of its `ratios` were still wider than wanted (a half-width of `width`). `again` counts processes that were
    run again because the scheduler had disturbed them. `stopped` is None for a session of the form before.
    """

    session: Count
    rounds: Count
    processes: Count
    took_s: float
    ratios: Count
    wide: Count
    width: float
    again: Count
    stopped: Stopped | None


class Summary(Model):
    """A cell over its rounds. `latency_us` is the median over the processes' median latencies, with the
    lowest and highest process; `interval` its confidence interval (None from one round).

    `ratio` is the reference's latency over this cell's, paired by round (above 1: faster than the
    reference); None for the reference itself or when no round can be paired. `app_ratio` is the app's
    latency over the binary's, paired likewise; None but for the app. `delegation` is the least of all rounds.

    `ratios` holds the ratio of every round, `equivalence` their 90 % interval. `cpu_us` is the median CPU time of a
    run. In `disturbed_rounds` the scheduler kept this cell or its references waiting; if there are any and CPU times
    are known, the ratios are of those (`from_cpu`). `processes` were measured, of which a reference has several in
    a round; 0 in versions 1 and 2, where every cell had one.

    Memory is the median over `memory_processes` of its own, whose times count nowhere; 0 where it was read from the
    timed processes, as before there were others. `memory_init_mib` and `memory_overall_mib` are the growth of the peak
    resident set from before the model is loaded, `memory_peak_mib` is that peak, None where no tool told it.
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
    delegation: Delegation | None = None
    app_ratio: Interval | None = None
    ratios: tuple[RoundRatio, ...] = ()
    equivalence: Interval | None = None
    cpu_us: float | None = None
    disturbed_rounds: Count = 0
    from_cpu: bool = False
    processes: Count = 0
    memory_peak_mib: float | None = None
    memory_processes: Count = 0


class Row(Model):
    """A cell's result. `failed_rounds` counts processes of this session that failed beside measured ones."""

    cell: Cell
    session: Count
    result: Annotated[Summary | Unsupported | Failed, Field(discriminator="kind")]
    failed_rounds: Count
    examination: Examination | None = None


class SustainedPoint(Model):
    """A process of a sustained load: its middle in seconds after the load's begin, its typical latency, and the
    battery's temperature after it."""

    at_s: float
    latency_us: float
    celsius: float | None = None


class Sustained(Model):
    """A cell under load without a pause. `first_us` and `last_us` are the medians over the first and the last
    `window_s`, `throttled_s` when it throttled for good; all None where too little was measured. `problem` says in
    words what went wrong."""

    cell: Cell
    session: Count
    duration_s: float
    window_s: float
    points: tuple[SustainedPoint, ...]
    first_us: float | None
    last_us: float | None
    throttled_s: float | None
    energy: Annotated[Energy | NoEnergy, Field(discriminator="kind")]
    problem: str | None = None


class Benchmark(Artifact):
    """All variants on one target."""

    schema_version: Literal[1, 2, 3] = 3
    target: Environment
    reference: Name
    settings: Settings
    rows: tuple[Row, ...]
    ledger: FileRef
    warnings: tuple[Caution | str, ...]
    noise: tuple[Noise, ...] = ()
    sustained: tuple[Sustained, ...] = ()
    sessions: tuple[SessionFacts, ...] = ()
