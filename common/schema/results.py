"""`results.json`: everything the report shows, and nothing else. Rendering is a pure function of it.

A results file may also come from elsewhere (a published table); then most parts are None or empty
and the report leaves them out, and says so.

Version history: 1 first; 2 adds the variants' `proof`, the choice, and what Android devices tell: runner,
delegation, answers, operators, the app's ratio; 3 has the choice's verdicts in it; 4 adds files that were given:
samples and answers in place of a dataset and accuracies; 5 adds every process of the sessions that the figures are
of, tails, failed rounds, and the images whose answer changed; 6 has in `proof` what the runtime said of XNNPACK, what
cannot be counted, and faults. All are still read; without verdicts a report claims nothing.
"""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.answers import Answers
from common.schema.base import Count, Interval, Model, Name
from common.schema.benchmark import Runner, SessionFacts, Sustained
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.environment import Environment
from common.schema.evaluation import Evaluation
from common.schema.examination import LayerTime, Operator, OutputCheck
from common.schema.inputs import Samples
from common.schema.judgement import Setting
from common.schema.outcome import Delegation, Failed, Unsupported
from common.schema.provenance import Provenance
from common.schema.tflite import Proof
from common.schema.training import Training

# Microseconds; a results file may come from elsewhere.
Time = Annotated[float, Field(ge=0)]
# Pixels of a picture of an image, the longer side.
THUMBNAIL = 56


class VariantResult(Model):
    """A variant's file. `steps` describes the recipe in words, in order; `waived` gives the distinct
    reasons why promises that are not kept were let pass; `proof` is what was read from the file itself."""

    name: Name
    label: str
    steps: tuple[str, ...]
    size_bytes: Count
    deflated_bytes: Count | None
    promises_kept: Count | None
    promises_total: Count | None
    waived: tuple[str, ...]
    proof: Proof | None = None


class Latency(Model):
    """A measured cell in the report's units: microseconds and MB of 2**20 bytes.

    Everything but `latency_us` is None or empty where the source gives none. `app_ratio` is the app's
    latency over the binary's; `answers` and `operators` are of a run of their own. `memory_mb` is what the model added
    to the peak of a process, `memory_peak_mb` that peak, from `memory_processes` of their own (0: the timed ones).
    `p95_us` is the median over the processes of the 95th percentile of their runs; `failed_rounds` counts processes
    that failed beside measured ones.
    """

    kind: Literal["latency"] = "latency"
    latency_us: Time
    low_us: Time | None
    high_us: Time | None
    rounds: Count | None
    interval: Interval | None
    ratio: Interval | None
    init_us: Time | None
    first_us: Time | None
    p95_us: Time | None = None
    failed_rounds: Count = 0
    memory_mb: float | None
    memory_peak_mb: float | None = None
    memory_processes: Count | None = None
    delegation: Delegation | None = None
    app_ratio: Interval | None = None
    answers: OutputCheck | None = None
    operators: tuple[Operator, ...] = ()
    layers: tuple[LayerTime, ...] = ()


class Measurement(Model):
    """One variant on one target, backend, thread count and runner."""

    variant: Name
    target: str
    backend: str
    threads: int
    runner: Runner = "binary"
    result: Latency | Unsupported | Failed

    @property
    def setting(self) -> Setting:
        """Where it was measured."""
        return Setting(target=self.target, backend=self.backend, threads=self.threads, runner=self.runner)


# Why a process counts for no ratio: the scheduler kept it waiting and it was run again, or the references around its
# segment differed and the segment was measured again.
Discarded = Literal["run again", "segment again"]


class Process(Model):
    """One process of a session, in the order in which they ran.

    `start_s` is seconds after the session's first process began, `latency_us` the process's typical latency, None
    where it failed. `reference`: it stood before or after a segment. `load` is the machine's over one minute.
    """

    variant: Name
    round: Count
    start_s: float
    latency_us: Time | None
    load: float | None = None
    reference: bool = False
    discarded: Discarded | None = None


class Trace(Model):
    """The processes of one setting in one session, and what the references told: `floor` is the share by which a file
    differs from itself there, None where nothing told it."""

    target: str
    backend: str
    threads: int
    runner: Runner = "binary"
    session: Count
    floor: float | None
    facts: SessionFacts | None
    processes: tuple[Process, ...]


class Flip(Model):
    """An image whose answer is right with one of two variants alone. Classes are places in the data set's list.
    `thumbnail` is a JPEG in base64, at most THUMBNAIL pixels wide and high; None where the arrays were not at hand."""

    file: str
    label: Count
    reference_answer: Count
    variant_answer: Count
    thumbnail: Annotated[str, Field(max_length=8192)] | None = None


class Flips(Model):
    """Images of which the reference alone is right (`lost`) or the variant alone (`won`), `shown` some of both."""

    variant: Name
    won: Count
    lost: Count
    shown: tuple[Flip, ...] = ()


class Endured(Model):
    """A variant's sustained load on a target. `floor` is the share by which a file differs from itself there."""

    target: str
    floor: float
    result: Sustained


class Results(Model):
    """The report's only input. `missing` names what was not measured, in words."""

    schema_version: Literal[1, 2, 3, 4, 5, 6] = 6
    title: str
    source: str
    reference: Name
    reproduce: tuple[str, ...]
    variants: tuple[VariantResult, ...]
    measurements: tuple[Measurement, ...]
    targets: tuple[Environment, ...]
    dataset: Dataset | None
    training: Training | None
    evaluations: tuple[Evaluation, ...]
    choice: Choice | None = None
    sustained: tuple[Endured, ...] = ()
    samples: Samples | None = None
    answers: tuple[Answers, ...] = ()
    traces: tuple[Trace, ...] = ()
    flips: tuple[Flips, ...] = ()
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    provenance: tuple[Provenance, ...]
