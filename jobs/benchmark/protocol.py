"""The measuring protocol: rounds of fresh processes, interleaved in a seeded order, kept in a ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from common.artifact import own_folder
from common.printable import tell
from common.schema.benchmark import ExaminationLine, RunLine, SessionLine
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.changes import why_again
from jobs.benchmark.clock import Clock, SystemClock
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.plan import Slot, Wanted, remaining, resumable, runs_of, shown_session, unmeasured
from jobs.benchmark.statistics import typical_us
from jobs.benchmark.targets import Target, TargetLostError


@dataclass(frozen=True)
class Bench:
    """One target with the files to measure on it; `models` maps variants to .tflite paths, `prefix` begins
    every line of the progress."""

    target: Target
    models: Mapping[str, Path]
    settings: Settings
    logs: Path
    prefix: str = ""
    clock: Clock = field(default_factory=SystemClock)


def run(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    """Measure what the ledger lacks: first the rest of an interrupted session, then a new session.

    Raises TargetLostError saying what is missing when the target does not come back.
    """
    own_folder(bench.logs)
    _measure_all(bench, ledger, wanted)
    _examine(bench, ledger, wanted)


def _measure_all(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    interrupted = resumable(ledger.lines, wanted)
    if interrupted is not None:
        print(f"going on with session {interrupted.session}", flush=True)
        _run_session(bench, ledger, interrupted)
    tried = set() if interrupted is None else set(interrupted.cells)
    cells = unmeasured(ledger.lines, wanted)
    if set(cells) <= tried:
        return
    if (why := why_again(ledger.lines, wanted)) is not None:
        print(bench.prefix + why, flush=True)
    session = SessionLine(
        session=1 + max((line.session for line in ledger.lines), default=-1),
        seed=wanted.seed,
        cells=cells,
        rounds=wanted.rounds,
        fingerprint=wanted.fingerprint,
        settings_sha256=wanted.settings_sha256,
        started_at=datetime.now(UTC),
        facts=wanted.facts,
        settings=wanted.settings,
    )
    ledger.append(session)
    _run_session(bench, ledger, session)


def _run_session(bench: Bench, ledger: Ledger, session: SessionLine) -> None:
    total = session.rounds * len(session.cells)
    left = remaining(session, ledger.lines)
    for number, slot in enumerate(left):
        try:
            line = _measure(bench, session.session, slot)
        except TargetLostError as lost:
            raise _missing(lost, left[number:], total) from None
        ledger.append(line)
        tell(bench.prefix + _describe(line, total))


def _missing(lost: TargetLostError, left: Sequence[Slot], total: int) -> TargetLostError:
    """The error with what is not measured, in words."""
    names = ", ".join(dict.fromkeys(f"{slot.cell.variant} {slot.cell.backend} x{slot.cell.threads}" for slot in left))
    return TargetLostError(f"{lost.message}; {len(left)} of {total} processes are missing: {names}", hint=lost.hint)


def _examine(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    """Look once at every cell that was measured; after all timed processes, so as not to heat them."""
    asked = bench.settings.outputs_images, bench.settings.profile
    done = {
        (line.session, line.cell)
        for line in ledger.lines
        if isinstance(line, ExaminationLine) and (line.outputs_images, line.profile) == asked
    }
    for number, cell in enumerate(wanted.cells):
        session = shown_session(ledger.lines, cell, wanted).session
        measured = any(isinstance(run.outcome, Measured) for run in runs_of(ledger.lines, session, cell))
        if (session, cell) in done or not measured:
            continue
        name = f"{session:03d}-{number:04d}"
        found = bench.target.examine(bench.models[cell.variant], cell, bench.settings, bench.logs, name)
        if found is not None:
            line = ExaminationLine(
                session=session, cell=cell, outputs_images=asked[0], profile=asked[1], examination=found
            )
            ledger.append(line)


def _measure(bench: Bench, session: int, slot: Slot) -> RunLine:
    started = datetime.now(UTC)
    log = bench.logs / f"{session:03d}-{slot.order:04d}.log"
    reading = bench.target.measure(bench.models[slot.cell.variant], slot.cell, bench.settings, log)
    return RunLine(
        session=session,
        round=slot.round,
        order=slot.order,
        cell=slot.cell,
        started_at=started,
        load_1min=reading.load_1min,
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
    runner = " app" if cell.runner == "app" else ""
    where = f"{cell.variant} {cell.backend} x{cell.threads}{runner}"
    return f"[{line.order + 1}/{total}] round {line.round + 1}  {where}  {ending}"
