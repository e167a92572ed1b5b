"""`results.json`: everything the report shows, and nothing else. Rendering is a pure function of it.

A results file may also come from elsewhere (a published table); then most parts are None or empty
and the report leaves them out, and says so.

Version history: 1 first; 2 adds the variants' `proof`, the choice, and what Android devices tell: runner,
delegation, answers, operators, the app's ratio; 3 has the choice's verdicts in it; 4 adds files that were given:
samples and answers in place of a dataset and accuracies. All are still read; without verdicts a report claims nothing.
"""

from typing import Literal

from common.schema.answers import Answers
from common.schema.base import Count, Interval, Model, Name
from common.schema.benchmark import Runner, Sustained
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.environment import Environment
from common.schema.evaluation import Evaluation
from common.schema.examination import LayerTime, Operator, OutputCheck
from common.schema.inputs import Samples
from common.schema.outcome import Delegation, Failed, Unsupported
from common.schema.provenance import Provenance
from common.schema.tflite import Proof
from common.schema.training import Training


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
    """

    kind: Literal["latency"] = "latency"
    latency_us: float
    low_us: float | None
    high_us: float | None
    rounds: Count | None
    interval: Interval | None
    ratio: Interval | None
    init_us: float | None
    first_us: float | None
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


class Endured(Model):
    """A variant's sustained load on a target. `floor` is the share by which a file differs from itself there."""

    target: str
    floor: float
    result: Sustained


class Results(Model):
    """The report's only input. `missing` names what was not measured, in words."""

    schema_version: Literal[1, 2, 3, 4] = 4
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
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    provenance: tuple[Provenance, ...]
