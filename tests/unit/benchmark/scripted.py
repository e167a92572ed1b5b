"""A target whose processes last no time, on a clock that moves by itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from common.schema.benchmark import Cell, Runner
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Measured, Outcome, Stat
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.protocol import Bench, run
from jobs.benchmark.targets import Reading
from jobs.benchmark.wanted import Wanted, want

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STEP_S = 2.0


def measured(us: float, cpu_us: float | None = None) -> Measured:
    """A process whose runs all took `us`."""
    phase = Stat(count=3, mean_us=us, median_us=us, min_us=us, max_us=us, std_us=0.0, p5_us=us, p95_us=us)
    return Measured(
        init_us=1.0, first_us=us, warmup=phase, steady=phase, memory_init_kib=1, memory_overall_kib=2, cpu_us=cpu_us
    )


def wanted(
    names: str = "ab",
    settings: Settings | None = None,
    shas: dict[str, str] | None = None,
    fingerprint: str = "f" * 64,
    seed: int = 1,
) -> Wanted:
    """A matrix of variants with names of one letter, the first of them the reference."""
    models = {name: (shas or {}).get(name, "0" * 64) for name in names}
    given = settings or Settings(rounds=3, most_rounds=3)
    return want(models, given, reference=names[0], seed=seed, fingerprint=fingerprint)


class Scripted:
    """`outcome` of a process, given its cell and how many processes ran before; stops with Ctrl-C after `stop`."""

    def __init__(self, outcome: Callable[[Cell, int], Outcome], stop: int | None = None, seen: int = 0) -> None:
        self.outcome, self.stop, self.seen = outcome, stop, seen
        self.status: int | None = None
        self.slept: list[float] = []
        self.examined: list[str] = []
        self.remembered: list[str] = []

    def runners(self, backend: str) -> tuple[Runner, ...]:
        return ("binary",)

    def environment(self) -> Environment:
        return Environment(kind="host", name="scripted", fingerprint="f" * 64, functional_only=False, facts=())

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        if self.seen == self.stop:
            raise KeyboardInterrupt
        self.seen += 1
        return Reading(self.outcome(cell, self.seen - 1))

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        self.examined.append(log)
        return Examination(problems=(f"{settings.outputs_images} images",)) if settings.outputs_images else None

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        self.remembered.append(log.name)
        return self.outcome(cell, len(self.remembered) - 1)

    def unfed(self, cell: Cell) -> str | None:
        return None

    def power(self, at_s: float) -> PowerReading | None:
        return None

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=STEP_S * self.seen)

    def wait(self, seconds: float) -> None:
        self.slept.append(seconds)

    def thermal_status(self) -> int | None:
        return self.status

    def state(self) -> DeviceState | None:
        return None


def measure(
    target: Scripted, plan: Wanted, folder: Path, ledger: Ledger | None = None, settings: Settings | None = None
) -> Ledger:
    """Run the protocol; the ledger is in memory if none is given."""
    ledger = Ledger() if ledger is None else ledger
    models = {cell.variant: folder / cell.variant for cell in plan.cells}
    run(Bench(target, models, settings or Settings(), folder / "logs", clock=target, quiet=True), ledger, plan)
    return ledger
