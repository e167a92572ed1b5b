"""The figures of a results file as metrics with a name, a value and a step. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.schema.base import Interval
from common.schema.judgement import Speed
from common.schema.results import Measurement, Results, VariantResult
from jobs.formats.cells import Cell


@dataclass(frozen=True)
class Metric:
    """A figure; `step` counts where one name has several."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Labelled:
    """A measurement under the `label` that its metrics begin with; `cell` is None where it has no latency that counts,
    `speed` where the judge was not asked."""

    label: str
    measurement: Measurement
    cell: Cell | None
    speed: Speed | None


def of_file(results: Results, variant: VariantResult) -> Iterator[Metric]:
    """What does not depend on where it was measured."""
    yield from _known("size_bytes", variant.size_bytes)
    yield from _known("deflated_bytes", variant.deflated_bytes)
    for evaluation in results.evaluations:
        if evaluation.variant == variant.name:
            share = evaluation.accuracy
            yield from _interval("accuracy", Interval(value=share.value, low=share.low, high=share.high))
            yield from _known("roc_auc", evaluation.roc_auc)
    for answers in results.answers:
        if answers.variant == variant.name and answers.score is not None:
            yield Metric("score", answers.score.value)


def of_settings(results: Results, settings: Sequence[Labelled]) -> Iterator[Metric]:
    """The latencies, what they were compared with, memory, and sustained loads."""
    for each in settings:
        if each.cell is not None:
            yield from _of_cell(each.cell, each.speed, each.label)
            yield from _endured(results, each.cell.measurement, each.label)


def _of_cell(cell: Cell, speed: Speed | None, label: str) -> Iterator[Metric]:
    latency = cell.latency
    yield Metric(f"{label}/latency_us", latency.latency_us)
    if latency.interval is not None:
        yield Metric(f"{label}/latency_us_low", latency.interval.low)
        yield Metric(f"{label}/latency_us_high", latency.interval.high)
    yield from _interval(f"{label}/speedup", latency.ratio if speed is None else speed.ratio)
    for name, value in (
        ("init_us", latency.init_us),
        ("first_us", latency.first_us),
        ("p95_us", latency.p95_us),
        ("memory_mib", latency.memory_mb),
        ("memory_peak_mib", latency.memory_peak_mb),
        ("rounds", latency.rounds),
        ("failed_rounds", latency.failed_rounds),
    ):
        yield from _known(f"{label}/{name}", value)
    for step, us in enumerate(cell.processes_us):
        yield Metric(f"{label}/process_us", us, step)


def _endured(results: Results, one: Measurement, label: str) -> Iterator[Metric]:
    place = (one.target, one.variant, one.backend, one.threads, one.runner)
    for found in results.sustained:
        load, cell = found.result, found.result.cell
        if (found.target, cell.variant, cell.backend, cell.threads, cell.runner) == place:
            yield from _known(f"{label}/sustained_first_us", load.first_us)
            yield from _known(f"{label}/sustained_last_us", load.last_us)
            yield from _known(f"{label}/throttled_s", load.throttled_s)
            if load.energy.kind == "energy":
                yield Metric(f"{label}/energy_mj", load.energy.mj)


def _interval(name: str, found: Interval | None) -> Iterator[Metric]:
    if found is not None:
        yield Metric(name, found.value)
        yield Metric(f"{name}_low", found.low)
        yield Metric(f"{name}_high", found.high)


def _known(name: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield Metric(name, float(value))
