"""What may be said of a cell's latency in two runs: measured in turns in one session, or in two sessions that differ by
themselves. Pure."""

from dataclasses import dataclass
from math import exp, hypot, log, log1p
from statistics import NormalDist

from common.intervals import LEAST_FLOOR
from common.run.speed import difference
from common.schema.base import Interval
from common.schema.comparison import LatencyChange, LatencyWord, Spread
from common.schema.judgement import Speed
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Latency

# A chance of a false claim, of all cells that are judged together.
ALPHA = 0.05
# Of a results file from elsewhere: latencies and logarithms beyond these are no measurement.
TINY, HUGE, MOST = 1e-9, 1e15, 50.0
NO_INTERVAL = "a run has no interval of it, as from one round"


@dataclass(frozen=True)
class Measured:
    """A cell in one run: its outcome, None where it was not measured, and the judge's word on it there."""

    result: Latency | Unsupported | Failed | None
    speed: Speed | None

    @property
    def problem(self) -> str | None:
        """Why its latency is none of its backend, in words; None where it is one."""
        if self.result is None:
            return "not measured"
        if not isinstance(self.result, Latency):
            return f"{self.result.kind}: {self.result.reason}"
        if self.speed is not None and not self.speed.is_result and self.speed.obstacle is not None:
            return self.speed.obstacle.text
        return None

    @property
    def us(self) -> float | None:
        """The latency, where it is one."""
        return self.result.latency_us if isinstance(self.result, Latency) and self.problem is None else None

    @property
    def busy(self) -> str | None:
        """Why nothing can be claimed of the session, in words."""
        obstacle = None if self.speed is None else self.speed.obstacle
        told = obstacle is not None and obstacle.cause in ("too busy", "functional only", "another processor")
        return obstacle.text if told and obstacle is not None else None

    @property
    def ratio(self) -> Interval | None:
        """The reference's latency over this one's."""
        return None if self.speed is None else self.speed.ratio

    @property
    def interval(self) -> Interval | None:
        """The latency with its interval."""
        return self.result.interval if isinstance(self.result, Latency) else None


@dataclass(frozen=True)
class Pair:
    """A cell in both runs. `same_file`: neither the file nor what ran it changed. `same_reference`: the file that both
    were measured beside is the same. `refused` says why the target's latencies are not compared."""

    base: Measured
    head: Measured
    same_file: bool
    same_reference: bool
    floor: float
    refused: str = ""


def change(pair: Pair, beside: Spread, alone: Spread, cells: int) -> LatencyChange:
    """The verdict on two sessions. `cells` are judged together, so that the interval behind it is as much wider as
    their number asks for (Bonferroni's correction)."""
    if (found := _obstacle(pair)) is not None:
        return _without(pair, *found)
    relative = pair.same_reference and pair.base.ratio is not None and pair.head.ratio is not None
    spread = (beside if relative else alone).share
    ratio = _between(pair, relative=relative, spread=spread)
    if ratio is None:
        told: LatencyWord = "same file" if pair.same_file else "not compared"
        return _without(pair, told, NO_INTERVAL)
    judged = widened(ratio, cells)
    floor = max(LEAST_FLOOR, pair.floor)
    word: LatencyWord = "same file" if pair.same_file else _word(judged, None, floor)
    return LatencyChange(
        verdict=word,
        base_us=pair.base.us,
        head_us=pair.head.us,
        ratio=ratio,
        judged=judged,
        beside_reference=relative,
        floor=floor,
    )


def paired(pair: Pair, ratio: Interval | None, equivalence: Interval | None, floor: float) -> LatencyChange:
    """The verdict on one session in which both were measured in turns; `ratio` is paired by round."""
    if (found := _obstacle(pair)) is not None:
        return _without(pair, *found)
    if ratio is None:
        return _without(pair, "not compared", "they have fewer than two rounds in common")
    word = _word(ratio, equivalence, floor)
    return LatencyChange(
        verdict=word,
        base_us=pair.base.us,
        head_us=pair.head.us,
        ratio=ratio,
        judged=ratio,
        beside_reference=True,
        floor=floor,
    )


def _without(pair: Pair, verdict: LatencyWord, reason: str) -> LatencyChange:
    return LatencyChange(verdict=verdict, base_us=pair.base.us, head_us=pair.head.us, reason=reason)


def _word(ratio: Interval, equivalence: Interval | None, floor: float) -> LatencyWord:
    found = difference(ratio, equivalence, floor)
    return found if found in ("faster", "slower", "as fast") else "not resolved"


def _obstacle(pair: Pair) -> tuple[LatencyWord, str] | None:
    """Why there is no ratio: `lost` and `won` are latencies that only one of the runs has."""
    before, now = pair.base.problem, pair.head.problem
    if before is not None or now is not None:
        told = "; ".join(f"{who}: {text}" for who, text in (("base", before), ("head", now)) if text is not None)
        both = before is not None and now is not None
        return "not compared" if both else "lost" if before is None else "won", told
    if pair.refused:
        return "not compared", pair.refused
    if pair.same_file:
        return None
    for who, side in (("base", pair.base), ("head", pair.head)):
        if side.busy is not None:
            return "not compared", f"{who}: {side.busy}"
    return None


def _between(pair: Pair, *, relative: bool, spread: float) -> Interval | None:
    """The base's latency over the head's; independent errors and the spread between sessions add as squares, and no
    end lies within the spread."""
    old, new = (side.ratio if relative else side.interval for side in (pair.base, pair.head))
    if old is None or new is None or not all(TINY < end < HUGE for one in (old, new) for end in (one.low, one.value)):
        return None
    value = new.value / old.value if relative else old.value / new.value
    down = (_down(new), _up(old)) if relative else (_down(old), _up(new))
    up = (_up(new), _down(old)) if relative else (_up(old), _down(new))
    more = log1p(spread)
    if hypot(*down, *up, more) > MOST:
        return None
    return Interval(value=value, low=value * exp(-hypot(*down, more)), high=value * exp(hypot(*up, more)))


def _down(of: Interval) -> float:
    return log(of.value / of.low)


def _up(of: Interval) -> float:
    return log(of.high / of.value)


def widened(ratio: Interval, cells: int) -> Interval:
    """The interval of one of `cells` that hold all with 95 %, from that of one alone."""
    normal = NormalDist()
    factor = normal.inv_cdf(1 - ALPHA / 2 / max(1, cells)) / normal.inv_cdf(1 - ALPHA / 2)
    low, high = (ratio.value * exp(factor * log(end / ratio.value)) for end in (ratio.low, ratio.high))
    return Interval(value=ratio.value, low=low, high=high, confidence=1 - ALPHA / max(1, cells))
