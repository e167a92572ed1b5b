"""Figures from samples. Pure, and the only place where a summary is made."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from common.schema.base import Interval
from common.schema.benchmark import RunLine, Summary
from common.schema.outcome import Delegation, Measured, Stat

CONFIDENCE = 0.95
RESAMPLES = 10_000
# Student's t for 95 % with n - 1 degrees of freedom, for n rounds. The resampled medians of so few lie between the
# lowest and the highest, and those miss the true median too often: in 2 ** (1 - n) of cases.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182}
KIB_PER_MIB = 1024
Vector = npt.NDArray[np.float64]


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


def median_interval(values: Sequence[float], seed: int) -> Interval | None:
    """Median of positive values with its interval; None for fewer than two.

    A percentile bootstrap (Efron 1979); below five values Student's interval of their logarithms, as
    latencies and their ratios spread by factors.
    """
    if len(values) < 2:  # noqa: PLR2004
        return None
    sample = np.asarray(values, dtype=np.float64)
    if len(sample) in STUDENT:
        return _student(sample)
    draws = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLES, len(sample)))
    medians = np.median(sample[draws], axis=1)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(medians, (tail, 100 - tail))
    return Interval(value=float(np.median(sample)), low=float(low), high=float(high), confidence=CONFIDENCE)


def _student(sample: Vector) -> Interval:
    logs, median = np.log(sample), float(np.median(sample))
    reach = STUDENT[len(sample)] * logs.std(ddof=1) / np.sqrt(len(sample))
    low, high = (float(np.exp(logs.mean() + side * reach)) for side in (-1, 1))
    # Equal values leave no width, and rounding must not put the median beside it.
    return Interval(value=median, low=min(low, median), high=max(high, median), confidence=CONFIDENCE)


def typical_us(outcome: Measured) -> float:
    """One process's latency: the median of its runs; the mean where an old tool gave no median."""
    return outcome.steady.mean_us if outcome.steady.median_us is None else outcome.steady.median_us


def summarise(
    runs: Sequence[RunLine], reference: Sequence[RunLine], seed: int, binary: Sequence[RunLine] = ()
) -> Summary:
    """A cell's summary from its measured runs (at least one) of one session; `reference` holds those of
    the reference cell in the same session, empty for the reference itself, and `binary` those of the
    same cell by the binary, empty but for an app's."""
    outcomes = [run.outcome for run in runs if isinstance(run.outcome, Measured)]
    latencies = [typical_us(outcome) for outcome in outcomes]
    ratios = paired_ratios(runs, reference)
    return Summary(
        rounds=len(outcomes),
        latency_us=_median(latencies),
        latency_low_us=min(latencies),
        latency_high_us=max(latencies),
        interval=median_interval(latencies, seed),
        ratio=median_interval(ratios, seed),
        paired_rounds=len(ratios),
        init_us=_median([outcome.init_us for outcome in outcomes]),
        first_us=_median([outcome.first_us for outcome in outcomes]),
        warmup_us=_median([outcome.warmup.mean_us for outcome in outcomes]),
        std_us=_median_of_known([outcome.steady.std_us for outcome in outcomes]),
        p5_us=_median_of_known([outcome.steady.p5_us for outcome in outcomes]),
        p95_us=_median_of_known([outcome.steady.p95_us for outcome in outcomes]),
        memory_init_mib=_median([outcome.memory_init_kib / KIB_PER_MIB for outcome in outcomes]),
        memory_overall_mib=_median([outcome.memory_overall_kib / KIB_PER_MIB for outcome in outcomes]),
        delegation=_least([outcome.delegation for outcome in outcomes if outcome.delegation is not None]),
        app_ratio=median_interval(paired_ratios(binary, runs), seed),
    )


def _least(found: Sequence[Delegation]) -> Delegation | None:
    """The one that delegates least: a row must not claim more than every process of it did."""
    order = ("none", "partial", "complete")
    return min(found, key=lambda one: (order.index(one.extent), one.nodes_delegated or 0), default=None)


def paired_ratios(runs: Sequence[RunLine], reference: Sequence[RunLine]) -> list[float]:
    """Reference latency over the cell's, for every round in which both were measured."""
    by_round = {run.round: typical_us(run.outcome) for run in reference if isinstance(run.outcome, Measured)}
    return [
        by_round[run.round] / typical_us(run.outcome)
        for run in runs
        if isinstance(run.outcome, Measured) and run.round in by_round
    ]


def _median(values: Sequence[float]) -> float:
    return float(np.median(np.asarray(values, dtype=np.float64)))


def _median_of_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _median(known) if known else None
