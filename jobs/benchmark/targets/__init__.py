"""What a benchmark target is; the protocol around it knows nothing else of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.errors import EdgeproofError
from common.schema.benchmark import Cell, Runner
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Outcome
from common.schema.power import DeviceState, PowerReading


class TargetLostError(EdgeproofError):
    """The target is gone and did not come back; nothing more can be measured now."""


@dataclass(frozen=True)
class Reading:
    """How one process ended, and its timed runs in order (microseconds), where the tool tells them.

    `load_1min` is this machine's before the process; None where it does not matter.
    """

    outcome: Outcome
    warmup_samples_us: tuple[float, ...] = ()
    samples_us: tuple[float, ...] = ()
    load_1min: float | None = None


class Target(Protocol):
    """A place where variants run: this machine, or a phone."""

    def environment(self) -> Environment:
        """What the place is, in facts, with a fingerprint that changes when it is another place."""

    def runners(self, backend: str) -> tuple[Runner, ...]:
        """The programs that measure a backend there, the one that decides first."""

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        """Run one cell in a fresh process; everything it prints goes to `log`. Never raises for a
        process that fails: that is an outcome. Raises TargetLostError when the place itself is gone."""

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        """Look at a cell that was measured, apart from the timed processes: its answers and operators. Files
        go to `folder` under names that begin with `log`; None when there is nothing to look at."""

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        """As `measure`, for the memory alone: the process is asked for its peak as well, which may cost it time."""

    def unfed(self, cell: Cell) -> str | None:
        """Why a cell is measured with other inputs than the samples that there are; None where it is not."""

    def power(self, at_s: float) -> PowerReading | None:
        """Battery and screen now, which is `at_s`; None for a place that has no battery."""

    def thermal_status(self) -> int | None:
        """How much heat slows the place down, 0 (not) to 6, as Android counts; None where it does not tell."""

    def state(self) -> DeviceState | None:
        """What decides how fast the place is just now; None for one that does not tell, or is away."""
