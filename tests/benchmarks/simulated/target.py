"""A target that only exists in numbers: true latencies times noise, on a clock of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from common.schema.benchmark import Cell, Runner
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Measured, Outcome, Stat, Unsupported
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.targets import Reading
from tests.benchmarks.simulated.noises import GRID_S, Draws

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
REFERENCE_US = 1000.0
WARM_UP = Stat(count=1, mean_us=1.0, median_us=1.0, min_us=1.0, max_us=1.0, std_us=None, p5_us=None, p95_us=None)


@dataclass
class Clock:
    """The time of a simulation: it passes when something takes or waits."""

    seconds: float = 0.0

    def now(self) -> datetime:
        """The present moment."""
        return BEGIN + timedelta(seconds=self.seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@dataclass
class SimulatedTarget:
    """One session of `draws`; `gains` are the true ratios of variants (reference over variant), 1 where none stands.

    There is no CPU time: what the protocol gains by it on a host comes on top.
    """

    draws: Draws
    session: int
    gains: Mapping[str, float]
    clock: Clock
    processes: int = 0

    def runners(self, backend: str) -> tuple[Runner, ...]:
        return ("binary",)

    def environment(self) -> Environment:
        """A device without a name."""
        return Environment(
            kind="android", name="simulated", fingerprint="0" * 64, functional_only=False, facts=(), serial="simulated"
        )

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        """One process: its latency is decided by the moment at which it starts."""
        moment = int(self.clock.seconds / GRID_S)
        factor = self.draws.path[self.session, moment] + self.draws.process[self.session, self.processes]
        median_us = float(REFERENCE_US / self.gains.get(cell.variant, 1.0) * np.exp(factor))
        self.clock.wait(float(self.draws.seconds[self.session, self.processes]))
        self.processes += 1
        steady = WARM_UP.model_copy(update={"count": 50, "mean_us": median_us, "median_us": median_us})
        outcome = Measured(
            init_us=1.0, first_us=1.0, warmup=WARM_UP, steady=steady, memory_init_kib=0, memory_overall_kib=0
        )
        return Reading(outcome)

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        """There is nothing to look at."""
        return None

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        """There is none to look at."""
        return Unsupported(reason="nothing here has any memory")

    def unfed(self, cell: Cell) -> str | None:
        """There is nothing to feed."""
        return None

    def power(self, at_s: float) -> PowerReading | None:
        """There is no battery."""
        return None

    def thermal_status(self) -> int | None:
        """It does not tell: bracketing has to cope with the heat."""
        return None

    def state(self) -> DeviceState | None:
        """None."""
        return None
