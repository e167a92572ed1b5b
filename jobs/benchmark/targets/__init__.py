"""What a benchmark target is; the protocol around it knows nothing else of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.schema.benchmark import Cell, Environment
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Outcome


@dataclass(frozen=True)
class Reading:
    """How one process ended, and its timed runs in order (microseconds)."""

    outcome: Outcome
    warmup_samples_us: tuple[float, ...] = ()
    samples_us: tuple[float, ...] = ()


class Target(Protocol):
    """A place where variants run: this machine, or a phone."""

    def environment(self) -> Environment:
        """What the place is, in facts, with a fingerprint that changes when it is another place."""

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        """Run one cell in a fresh process; everything it prints goes to `log`. Never raises for a
        process that fails: that is an outcome."""
