"""The protocol on this machine: a file beside itself, and two files with and without load.

    python -m tests.benchmarks.host_aa equal runs/demo/variants/baseline/baseline.tflite
    python -m tests.benchmarks.host_aa load runs/demo/variants/{baseline/baseline,distilled_int8/distilled_int8}.tflite

`equal` measures one file under two names in ten sessions: does the interval of the ratio hold 1, is a difference
claimed? `load` measures the ratio of two files, and again while ten processes keep the machine busy.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from common.artifact import sha256_file
from common.cli import run
from common.intervals import LEAST_FLOOR
from common.run.speed import difference
from common.schema.base import Interval
from common.schema.benchmark import Summary
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark import protocol
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.rows import noises, rows
from jobs.benchmark.targets.host import HostTarget
from jobs.benchmark.wanted import want

SETTINGS = Settings(backends=("xnnpack",))
BUSY = (sys.executable, "-c", "while True: pass")


@dataclass(frozen=True)
class Measured:
    """The ratio of the first file to the second with what is said of it."""

    ratio: Interval
    floor: float
    word: str
    rounds: int
    processes: int
    from_cpu: bool


def measure(models: Mapping[str, Path], seed: int) -> Measured:
    """One session; the first of two models is the reference."""
    target = HostTarget()
    reference, other = models
    wanted = want(
        {name: sha256_file(path) for name, path in models.items()},
        SETTINGS,
        reference=reference,
        seed=seed,
        fingerprint=target.environment().fingerprint,
    )
    with tempfile.TemporaryDirectory() as name:
        ledger = Ledger(Path(name) / "ledger.jsonl")
        protocol.run(protocol.Bench(target, models, SETTINGS, Path(name) / "logs", quiet=True), ledger, wanted)
        (row,) = [row for row in rows(ledger.index, wanted) if row.cell.variant == other]
    (noise,) = noises(ledger.index, wanted)
    result = row.result
    if not isinstance(result, Summary) or result.ratio is None:
        raise SystemExit(f"not measured: {result}")
    floor = max(LEAST_FLOOR, noise.floor or 0.0)
    word = "too busy" if noise.too_busy else difference(result.ratio, result.equivalence, floor)
    processes = len(ledger.index.sessions[0].runs)
    return Measured(result.ratio, floor, word, result.rounds, processes, result.from_cpu)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that do nothing but take time; they end with the block."""
    running = [subprocess.Popen(BUSY) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def described(name: str, found: Measured) -> str:
    """A session in a line."""
    ratio = found.ratio
    return (
        f"{name}: {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}), {found.word}, floor {found.floor:.3f}, "
        f"{found.rounds} rounds, {found.processes} processes{', of CPU time' if found.from_cpu else ''}, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def equal(model: Path, sessions: int = 10) -> None:
    """One file under two names."""
    found = []
    for number in range(sessions):
        found.append(measure({"model": model, "same": model}, seed=number))
        print(described(f"session {number + 1}", found[-1]), flush=True)
    holds = sum(one.ratio.low <= 1 <= one.ratio.high for one in found)
    claims = sum(one.word in ("faster", "slower") for one in found)
    print(f"{holds} of {sessions} intervals hold 1; {claims} claims")


def load(first: Path, second: Path, processes: Annotated[int, typer.Option()] = 10) -> None:
    """Two files, alone and among busy processes."""
    models = {"first": first, "second": second}
    alone = measure(models, seed=0)
    print(described("alone", alone), flush=True)
    with busy(processes):
        loaded = measure(models, seed=1)
        print(described(f"beside {processes} busy processes", loaded), flush=True)
    print(f"loaded / alone: {loaded.ratio.value / alone.ratio.value:.3f}")


if __name__ == "__main__":
    run(equal, load)
