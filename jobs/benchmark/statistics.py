"""Figures from samples. Pure, and the only place where a summary is made."""

from collections.abc import Sequence

import numpy as np

from common.intervals import interval
from common.schema.benchmark import RunLine, Summary
from common.schema.outcome import Delegation, Measured, Memory, MemoryOutcome, Stat
from jobs.benchmark.pairs import Bracket, ratios, uses_cpu

KIB_PER_MIB = 1024
EQUIVALENCE = 0.9


def stat(samples_us: Sequence[float]) -> Stat:
    """The figures that `benchmark_model` prints, from at least one sample in microseconds."""
    samples = np.asarray(samples_us, dtype=np.float64)
    p5, median, p95 = (float(value) for value in np.percentile(samples, (5, 50, 95)))
    return Stat(
        count=len(samples),
        mean_us=float(samples.mean()),
        median_us=median,
        min_us=float(samples.min()),
        max_us=float(samples.max()),
        std_us=float(samples.std()) if len(samples) > 1 else None,
        p5_us=p5,
        p95_us=p95,
    )


def summarise(
    runs: Sequence[RunLine],
    brackets: Sequence[Bracket],
    app_ratios: Sequence[float] = (),
    memory: Sequence[MemoryOutcome] = (),
) -> Summary:
    """A cell's summary from its measured runs (at least one) of one session; `brackets` are those runs between
    their references, empty for the reference itself, and `app_ratios` the app's latency over the binary's by round.
    `memory` are the processes that were run for it; where none ended well, it is that of the timed ones."""
    measured = [run for run in runs if isinstance(run.outcome, Measured)]
    outcomes = [run.outcome for run in measured if isinstance(run.outcome, Measured)]
    latencies = [outcome.steady.typical_us for outcome in outcomes]
    found = ratios(brackets)
    values = [ratio.value for ratio in found]
    own = [one for one in memory if isinstance(one, Memory)]
    remembered = own or [memory_of(outcome) for outcome in outcomes]
    return Summary(
        rounds=len({run.round for run in measured}),
        latency_us=_median(latencies),
        latency_low_us=min(latencies),
        latency_high_us=max(latencies),
        interval=interval(latencies),
        ratio=interval(values),
        paired_rounds=len(found),
        ratios=found,
        equivalence=interval(values, EQUIVALENCE),
        cpu_us=_median_of_known([outcome.cpu_us for outcome in outcomes]),
        disturbed_rounds=sum(bracket.disturbed for bracket in brackets),
        from_cpu=uses_cpu(brackets),
        processes=len(outcomes),
        init_us=_median([outcome.init_us for outcome in outcomes]),
        first_us=_median([outcome.first_us for outcome in outcomes]),
        warmup_us=_median([outcome.warmup.mean_us for outcome in outcomes]),
        std_us=_median_of_known([outcome.steady.std_us for outcome in outcomes]),
        p5_us=_median_of_known([outcome.steady.p5_us for outcome in outcomes]),
        p95_us=_median_of_known([outcome.steady.p95_us for outcome in outcomes]),
        memory_init_mib=_median([one.init_kib / KIB_PER_MIB for one in remembered]),
        memory_overall_mib=_median([one.overall_kib / KIB_PER_MIB for one in remembered]),
        memory_peak_mib=_median_of_known([_mib(one.peak_kib) for one in remembered]),
        memory_processes=len(own),
        delegation=_least([outcome.delegation for outcome in outcomes if outcome.delegation is not None]),
        app_ratio=interval(app_ratios),
    )


def memory_of(outcome: Measured) -> Memory:
    """The memory of a process, without its times."""
    return Memory(
        init_kib=outcome.memory_init_kib, overall_kib=outcome.memory_overall_kib, peak_kib=outcome.memory_peak_kib
    )


def _mib(kib: int | None) -> float | None:
    return None if kib is None else kib / KIB_PER_MIB


def _least(found: Sequence[Delegation]) -> Delegation | None:
    """The one that delegates least: a row must not claim more than every process of it did."""
    order = ("none", "partial", "complete")
    return min(found, key=lambda one: (order.index(one.extent), one.nodes_delegated or 0), default=None)


def _median(values: Sequence[float]) -> float:
    return float(np.median(np.asarray(values, dtype=np.float64)))


def _median_of_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _median(known) if known else None
