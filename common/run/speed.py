"""How fast a cell is beside the reference's in the same setting, and what may be said of it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, log, log1p

from common.intervals import LEAST_FLOOR, interval
from common.schema.base import Interval
from common.schema.benchmark import Benchmark, LedgerLine, Noise, Row, Summary
from common.schema.judgement import Difference, Obstacle, Setting, Speed
from common.schema.outcome import Failed, Unsupported

# Two are as fast where the whole 90 % interval of their ratio lies within this factor (TOST).
AS_FAST = 1.05
# Half of an interval, as a logarithm, that resolves what there is to resolve; and the narrowest worth asking for.
NARROW, NARROWEST = 0.03, 0.005
FEWEST_ROUNDS = 2
# Share of a cell's processes; a variant that fails more often is not shipped.
MOST_FAILED = 0.2
PLAIN = "cpu"
Key = tuple[str, int, str]


@dataclass(frozen=True)
class Target:
    """A benchmark, the sessions of its ledger that another processor measured, and the ledger's lines."""

    benchmark: Benchmark
    foreign_sessions: frozenset[int] = field(default_factory=frozenset)
    lines: tuple[LedgerLine, ...] = ()

    def setting(self, row: Row) -> Setting:
        """Where a row was measured."""
        cell = row.cell
        name = self.benchmark.target.name
        return Setting(target=name, backend=cell.backend, threads=cell.threads, runner=cell.runner)

    def reference(self, row: Row) -> Row | None:
        """The reference's row of the same setting."""
        name = self.benchmark.reference
        return next((r for r in self.benchmark.rows if r.cell.variant == name and _key(r) == _key(row)), None)

    def noise(self, row: Row) -> Noise | None:
        """What the references of the row's session told; None in a benchmark of an earlier version."""
        found = (n for n in self.benchmark.noise if (n.session, n.backend, n.threads, n.runner) == _place(row))
        return next(found, None)


def _key(row: Row) -> Key:
    return row.cell.backend, row.cell.threads, row.cell.runner


def _place(row: Row) -> tuple[int, str, int, str]:
    return row.session, *_key(row)


def speeds(target: Target) -> Iterator[Speed]:
    """A verdict on every row."""
    for row in target.benchmark.rows:
        yield _speed(target, row)


def own_obstacle(target: Target, row: Row) -> Obstacle | None:
    """Why a cell's latency is no result of its backend: a fault of the cell itself."""
    result = row.result
    if isinstance(result, Unsupported):
        return Obstacle(cause="unsupported", text=result.reason)
    if isinstance(result, Failed):
        return Obstacle(cause="failed", text=result.reason)
    # A reference has several processes in a round; before version 3 every cell had one.
    processes = row.failed_rounds + (result.processes or result.rounds)
    if row.failed_rounds > MOST_FAILED * processes:
        return Obstacle(cause="failed", text=f"{row.failed_rounds} of {processes} processes failed")
    extent = None if result.delegation is None else result.delegation.extent
    if row.cell.backend != PLAIN and extent == "none":
        return Obstacle(cause="fallback", text=f"{row.cell.backend.upper()} ran nothing of it: plain CPU kernels did")
    return _answers(target, row)


def _answers(target: Target, row: Row) -> Obstacle | None:
    outputs = None if row.examination is None else row.examination.outputs
    if outputs is not None and outputs.wrong is not None:
        return Obstacle(cause="wrong answers", text=f"wrong answers: {outputs.wrong}")
    if outputs is not None and outputs.largest_difference is None:
        return Obstacle(cause="wrong answers", text="wrong answers: some are no numbers")
    asked = target.benchmark.target.kind == "android" and target.benchmark.settings.outputs_images > 0
    # The app gives no answers; those of the binary, which runs the same library, stand for it.
    if asked and outputs is None and row.cell.runner != "app":
        return Obstacle(cause="answers not checked", text="its answers could not be compared with this machine's")
    return None


def _obstacle(target: Target, row: Row) -> Obstacle | None:
    if (own := own_obstacle(target, row)) is not None:
        return own
    if target.benchmark.target.functional_only:
        return Obstacle(cause="functional only", text="this target shows that variants run, not how fast")
    beside = target.reference(row)
    if beside is None:
        return Obstacle(cause="reference", text="the reference was not measured here")
    if (theirs := own_obstacle(target, beside)) is not None:
        return Obstacle(cause="reference", text=f"the reference cannot be compared with: {theirs.text}")
    if row.session in target.foreign_sessions:
        return Obstacle(cause="another processor", text="another processor measured it")
    noise = target.noise(row)
    if noise is not None and noise.too_busy:
        return Obstacle(cause="too busy", text="the machine was too busy: its references differed too often")
    return None


def _speed(target: Target, row: Row) -> Speed:
    obstacle = _obstacle(target, row)
    result = row.result
    is_reference = row.cell.variant == target.benchmark.reference
    about = Speed(variant=row.cell.variant, setting=target.setting(row), session=row.session, verdict="not compared")
    if obstacle is None and isinstance(result, Summary) and not is_reference and result.ratio is None:
        obstacle = Obstacle(cause="too few rounds", text=f"fewer than {FEWEST_ROUNDS} rounds beside the reference")
    if obstacle is not None or not isinstance(result, Summary):
        return about.model_copy(update={"obstacle": obstacle})
    partial = result.delegation is not None and result.delegation.extent == "partial"
    told = {"partial": partial, "from_cpu": result.from_cpu}
    if is_reference or result.ratio is None:
        return about.model_copy(update={"verdict": "reference", **told})
    noise = target.noise(row)
    measured_floor = None if noise is None else noise.floor
    floor = LEAST_FLOOR if measured_floor is None else max(LEAST_FLOOR, measured_floor)
    verdict = difference(result.ratio, result.equivalence, floor)
    needed = rounds_needed(result.ratio, result.paired_rounds, floor) if verdict == "not resolved" else None
    found = {
        "verdict": verdict,
        "ratio": result.ratio,
        "ratios": result.ratios,
        "floor": floor,
        "floor_assumed": measured_floor is None,
        "rounds_needed": needed,
    }
    return about.model_copy(update=told | found)


def difference(ratio: Interval, equivalence: Interval | None, floor: float) -> Difference:
    """The word for a ratio with its 95 % interval, and the 90 % one for equivalence (the other one, which is wider,
    where there is none), by the share that a file differs from itself."""
    if ratio.low > 1 + floor:
        return "faster"
    if ratio.high < 1 / (1 + floor):
        return "slower"
    narrow = equivalence or ratio
    return "as fast" if narrow.low > 1 / AS_FAST and narrow.high < AS_FAST else "not resolved"


def rounds_needed(ratio: Interval, rounds: int, floor: float) -> int:
    """About how many rounds resolve a difference: the width falls with the square root of their number. An interval
    that is narrow already needs one that clears the floor, or lies within what is as fast."""
    half, gap = log(ratio.high / ratio.low) / 2, abs(log(ratio.value))
    clear = max(gap - log1p(floor), log(AS_FAST) - gap, NARROWEST)
    wanted = NARROW if half > NARROW else min(NARROW, clear)
    return max(rounds + 1, ceil(rounds * (half / wanted) ** 2))


def ratio_between(one: Speed, other: Speed, confidence: float = 0.95) -> Interval | None:
    """How many times as fast `one` is as `other`, paired round by round; None where they have fewer than two rounds
    of one session in common, or one is not compared. The `confidence` is 0.95 or 0.9."""
    if one.setting != other.setting or one.session != other.session:
        return None
    mine, theirs = _by_round(one), _by_round(other)
    if mine is None or theirs is None:
        if theirs is not None or other.verdict != "reference":
            return None
        # The reference's ratio to itself is 1 in every round.
        known = one.ratio is None or one.ratio.confidence == confidence or mine is None
        return one.ratio if known or mine is None else interval(list(mine.values()), confidence)
    return interval([mine[round_] / theirs[round_] for round_ in sorted(mine.keys() & theirs.keys())], confidence)


def _by_round(speed: Speed) -> dict[int, float] | None:
    return {item.round: item.value for item in speed.ratios} if speed.ratios else None


def clearly_faster(one: Speed, other: Speed) -> bool | None:
    """Whether `one` is faster than `other` beyond what a file differs from itself; None where nothing is known."""
    if one.verdict == "reference":
        known = None if other.verdict in ("not compared", "reference") else other.verdict == "slower"
        return False if other.verdict == "reference" else known
    found = ratio_between(one, other)
    if found is None:
        return None
    return found.low > 1 + max(one.floor or 0.0, other.floor or 0.0)


def apart(speed: Speed, others: Sequence[Speed]) -> tuple[str, ...]:
    """Names of those of which `speed` cannot be told to be faster."""
    return tuple(other.variant for other in others if clearly_faster(speed, other) is not True)
