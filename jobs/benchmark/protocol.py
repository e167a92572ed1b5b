"""The measuring protocol: rounds of fresh processes, interleaved in a seeded order, kept in a ledger."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from common.schema.benchmark import RunLine, SessionLine
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.plan import Slot, Wanted, remaining, resumable, unmeasured
from jobs.benchmark.statistics import typical_us
from jobs.benchmark.targets import Target


@dataclass(frozen=True)
class Bench:
    """One target with the files to measure on it; `models` maps variants to .tflite paths."""

    target: Target
    models: Mapping[str, Path]
    settings: Settings
    logs: Path


def run(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    """Measure what the ledger lacks: first the rest of an interrupted session, then a new session."""
    bench.logs.mkdir(exist_ok=True)
    interrupted = resumable(ledger.lines, wanted)
    if interrupted is not None:
        print(f"going on with session {interrupted.session}", flush=True)
        _run_session(bench, ledger, interrupted)
    tried = set() if interrupted is None else set(interrupted.cells)
    cells = unmeasured(ledger.lines, wanted)
    if set(cells) <= tried:
        return
    session = SessionLine(
        session=1 + max((line.session for line in ledger.lines), default=-1),
        seed=wanted.seed,
        cells=cells,
        rounds=wanted.rounds,
        fingerprint=wanted.fingerprint,
        settings_sha256=wanted.settings_sha256,
        started_at=datetime.now(UTC),
    )
    ledger.append(session)
    _run_session(bench, ledger, session)


def _run_session(bench: Bench, ledger: Ledger, session: SessionLine) -> None:
    total = session.rounds * len(session.cells)
    for slot in remaining(session, ledger.lines):
        line = _measure(bench, session.session, slot)
        ledger.append(line)
        print(_describe(line, total), flush=True)


def _measure(bench: Bench, session: int, slot: Slot) -> RunLine:
    started = datetime.now(UTC)
    load = os.getloadavg()[0]
    log = bench.logs / f"{session:03d}-{slot.order:04d}.log"
    reading = bench.target.measure(bench.models[slot.cell.variant], slot.cell, bench.settings, log)
    return RunLine(
        session=session,
        round=slot.round,
        order=slot.order,
        cell=slot.cell,
        started_at=started,
        load_1min=load,
        outcome=reading.outcome,
        warmup_samples_us=reading.warmup_samples_us,
        samples_us=reading.samples_us,
    )


def _describe(line: RunLine, total: int) -> str:
    match line.outcome:
        case Measured():
            ending = f"{typical_us(line.outcome):,.0f} us"
        case Unsupported(reason=reason):
            ending = f"unsupported: {reason}"
        case Failed(reason=reason):
            ending = f"FAILED: {reason}"
    cell = line.cell
    where = f"{cell.variant} {cell.backend} x{cell.threads}"
    return f"[{line.order + 1}/{total}] round {line.round + 1}  {where}  {ending}"
