"""The points of the trade-off: what a variant costs and how good its answers are, in the units of the axes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from common.numbers import BYTES_PER_MB
from common.schema.answers import Answers
from common.schema.results import Results, VariantResult
from jobs.report.names import Grid, Setting

View = Literal["latency", "download", "memory"]
VIEWS: tuple[View, ...] = ("latency", "download", "memory")


@dataclass(frozen=True)
class Value:
    """A figure with the ends of its interval, which are the figure itself where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """What stands for quality: the axis' title, the figures by variant, and below which one the budget is exceeded."""

    title: str
    word: str
    values: dict[str, Value]
    limit: float | None = None


@dataclass(frozen=True)
class Point:
    """A variant in the chart. `size_bytes` is its file's."""

    name: str
    x: float
    y: Value
    size_bytes: int


def points(results: Results, setting: Setting, by: View, quality: Quality | None) -> tuple[Point, ...]:
    """All variants with both figures; size stands in for quality where there is none."""
    found = []
    for variant in results.variants:
        x = _cost(results, setting, by, variant)
        size = variant.size_bytes / BYTES_PER_MB
        y = Value(size, size, size) if quality is None else quality.values.get(variant.name)
        if x is not None and x > 0 and y is not None and (quality is not None or size > 0):
            found.append(Point(variant.name, x, y, variant.size_bytes))
    return tuple(found)


def _cost(results: Results, setting: Setting, by: View, variant: VariantResult) -> float | None:
    if by == "download":
        return None if variant.deflated_bytes is None else variant.deflated_bytes / BYTES_PER_MB
    latency = Grid(results).latency(variant.name, setting)
    if latency is None:
        return None
    return latency.latency_us if by == "latency" else latency.memory_mb


def quality(results: Results) -> Quality | None:
    """Right answers to labelled images, the user's score, or the share of answers that are the reference's; None
    where nothing stands for quality."""
    judgement = None if results.choice is None else results.choice.judgement
    margin = None if judgement is None else judgement.margin
    if results.evaluations:
        shares = {e.variant: e.accuracy for e in results.evaluations}
        values = {n: Value(100 * s.value, 100 * s.low, 100 * s.high) for n, s in shares.items()}
        return Quality("accuracy (%)", "accuracy", values, _limit(results, values, margin, 100))
    scores = {a.variant: value for a in results.answers if (value := _score(a)) is not None}
    if scores:
        return Quality("score", "score", scores, _limit(results, scores, margin, 1))
    agreed = {a.variant: value for a in results.answers if (value := _agreed(results, a)) is not None}
    if any(name != results.reference for name in agreed):
        return Quality("top-1 agreement with the reference (%)", "top-1 agreement", agreed)
    return None


def _limit(results: Results, values: dict[str, Value], margin: float | None, unit: float) -> float | None:
    own = values.get(results.reference)
    return None if own is None or margin is None else own.value - unit * margin


def _score(answers: Answers) -> Value | None:
    """The score; its interval is that of the paired difference from the reference's."""
    if answers.score is None:
        return None
    value, drawn = answers.score.value, answers.score.differences
    if not drawn or answers.score.difference is None:
        return Value(value, value, value)
    own = value - answers.score.difference
    low, high = own + drawn[int(0.025 * len(drawn))], own + drawn[min(len(drawn) - 1, int(0.975 * len(drawn)))]
    return Value(value, min(low, value), max(high, value))


def _agreed(results: Results, answers: Answers) -> Value | None:
    if answers.variant == results.reference:
        return Value(100.0, 100.0, 100.0)
    share = next((row.top1 for row in answers.agreement if row.top1 is not None), None)
    return None if share is None else Value(100 * share.value, 100 * share.low, 100 * share.high)


def front(found: tuple[Point, ...], better: Callable[[Point], float]) -> tuple[Point, ...]:
    """Those of which none is at once as cheap and as good, and cheaper or better: from the cheapest on."""
    kept: list[Point] = []
    for point in sorted(found, key=lambda p: (p.x, -better(p), p.name)):
        if not kept or better(point) > better(kept[-1]):
            kept.append(point)
    return tuple(kept)
