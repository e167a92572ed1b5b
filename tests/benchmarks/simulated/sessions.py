"""Whole sessions of the measuring protocol on a simulated target: the code that measures phones, on a clock of its own.

What a session says of a variant is what the report would say: the ratio's interval of its row, the word of the judge.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import gettempdir
from typing import Literal

from common.intervals import LEAST_FLOOR
from common.run.speed import difference
from common.schema.benchmark import LedgerLine, Row, RunLine, Summary
from common.schema.benchmark import Noise as Floor
from common.schema.experiment import Backend
from common.schema.experiment import Benchmark as Settings
from common.schema.judgement import Difference
from jobs.benchmark import protocol
from jobs.benchmark.ledger import Index, Ledger
from jobs.benchmark.rows import noises, rows
from jobs.benchmark.wanted import Wanted, want
from tests.benchmarks.simulated.noises import Draws, Noise, draw
from tests.benchmarks.simulated.target import Clock, SimulatedTarget

REFERENCE = "reference"
# Sessions whose noise is drawn at once, and by one worker.
BATCH = 50
WORKERS = 2
# A segment is measured three times at most, and a round has half as many references as other cells at most, and two.
MOST_ATTEMPTS = 3
# Nothing is written there.
LOGS = Path(gettempdir()) / "simulated"


@dataclass(frozen=True)
class Scene:
    """What is measured where: a reference and a variant for each true ratio in `gains`, on each backend. Every session
    has `rounds`, or as many as it asks for between these and `most_rounds`."""

    noise: Noise
    gains: tuple[float, ...]
    backends: tuple[Backend, ...] = ("cpu",)
    rounds: int = Settings().rounds
    most_rounds: int = Settings().most_rounds

    @property
    def kind(self) -> Literal["host", "android"]:
        """Phones are given wider intervals."""
        return "android" if self.noise.heat else "host"

    @property
    def most_processes(self) -> int:
        """Of one session, whatever it repeats."""
        variants = len(self.gains) * len(self.backends)
        return MOST_ATTEMPTS * self.most_rounds * (2 * variants + 4 * len(self.backends))


@dataclass(frozen=True)
class Told:
    """What a session tells of one variant whose true ratio is `gain`."""

    gain: float
    low: float
    high: float
    word: Difference

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.gain <= self.high

    @property
    def differs(self) -> bool:
        """Whether the variant is called faster or slower than the reference."""
        return self.word in ("faster", "slower")


@dataclass(frozen=True)
class Session:
    """A finished session, at a number of rounds."""

    rounds: int
    processes: int
    too_busy: bool
    told: tuple[Told, ...]


def simulate(scene: Scene, sessions: int, seed: int, at: Sequence[int] = ()) -> list[tuple[Session, ...]]:
    """`sessions` sessions of a scene; each as it ended, or as it stood after every number of rounds in `at`."""
    tasks = [(first, min(BATCH, sessions - first)) for first in range(0, sessions, BATCH)]
    job = partial(_batch, scene, seed, tuple(at))
    if len(tasks) == 1:
        return job(tasks[0])
    with ProcessPoolExecutor(WORKERS) as pool:
        return list(chain.from_iterable(pool.map(job, tasks)))


def _batch(scene: Scene, seed: int, at: tuple[int, ...], task: tuple[int, int]) -> list[tuple[Session, ...]]:
    first, count = task
    draws = draw(scene.noise, count, scene.most_processes, (seed, first))
    found = []
    for session in range(count):
        lines, wanted = measure(scene, draws, session, seed=first + session)
        found.append(tuple(_at_ends(scene, lines, wanted, at)))
    return found


def _at_ends(scene: Scene, lines: Sequence[LedgerLine], wanted: Wanted, at: Sequence[int]) -> Iterator[Session]:
    """What was to be said after these numbers of rounds (ascending), at the end if there are none."""
    index, ends = Index(), list(at)
    for line in lines:
        if ends and isinstance(line, RunLine) and line.round == ends[0]:
            yield _concluded(scene, index, wanted)
            del ends[0]
        index.add(line)
    yield _concluded(scene, index, wanted)


def measure(scene: Scene, draws: Draws, session: int, seed: int) -> tuple[list[LedgerLine], Wanted]:
    """The ledger's lines of one session, and what was wanted."""
    settings = Settings(backends=scene.backends, rounds=scene.rounds, most_rounds=scene.most_rounds)
    clock = Clock()
    target = SimulatedTarget(draws, session, gains(scene), clock)
    names = (REFERENCE, *gains(scene))
    environment = target.environment()
    wanted = want(
        {name: f"{number:064x}" for number, name in enumerate(names)},
        settings,
        reference=REFERENCE,
        seed=seed,
        fingerprint=environment.fingerprint,
        kind=scene.kind,
    )
    ledger = Ledger()
    bench = protocol.Bench(target, dict.fromkeys(names, Path()), settings, LOGS, clock=clock, quiet=True)
    protocol.run(bench, ledger, wanted)
    return ledger.lines, wanted


def _concluded(scene: Scene, index: Index, wanted: Wanted) -> Session:
    """What the report would say."""
    state = index.sessions[0]
    # A session of three rounds is complete where three were asked for.
    wanted = replace(wanted, limits=replace(wanted.limits, fewest=min(wanted.limits.fewest, state.rounds)))
    busy = {noise.backend: noise for noise in noises(index, wanted)}
    told = tuple(
        _told(scene, row, busy[row.cell.backend]) for row in rows(index, wanted) if row.cell.variant != REFERENCE
    )
    return Session(state.rounds, len(state.runs), any(noise.too_busy for noise in busy.values()), told)


def _told(scene: Scene, row: Row, noise: Floor) -> Told:
    result = row.result
    if not isinstance(result, Summary) or result.ratio is None:
        raise TypeError(f"{row.cell.variant} has no ratio")
    word = difference(result.ratio, result.equivalence, max(LEAST_FLOOR, noise.floor or 0.0))
    gain = gains(scene)[row.cell.variant]
    return Told(gain, result.ratio.low, result.ratio.high, "not compared" if noise.too_busy else word)


def gains(scene: Scene) -> dict[str, float]:
    """The true ratio of every variant, by its name."""
    return {f"variant_{number}": gain for number, gain in enumerate(scene.gains)}
