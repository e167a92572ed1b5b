"""The measuring protocol: fresh processes between references, one after the other, kept in a ledger.

What runs next is read from the ledger alone (`rounds.next_step`); here it is run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.artifact import own_folder
from common.numbers import duration
from common.printable import tell
from common.schema.benchmark import RUNNERS, Cell, ExaminationLine, RunLine, SessionLine
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.changes import why_again
from jobs.benchmark.clock import Clock, SystemClock
from jobs.benchmark.heat import cool
from jobs.benchmark.ledger import Index, Ledger
from jobs.benchmark.order import Slot
from jobs.benchmark.rounds import next_step
from jobs.benchmark.session import Session
from jobs.benchmark.states import look
from jobs.benchmark.targets import Target, TargetLostError
from jobs.benchmark.wanted import Wanted, resumable, shown_session, unmeasured

NPU = "npu"
WORDS = {"before": "  (reference)", "within": "", "after": "  (reference)"}


@dataclass(frozen=True)
class Bench:
    """One target with the files to measure on it; `models` maps variants to .tflite paths, `prefix` begins
    every line of the progress, which `quiet` keeps back. `compiled` are the files for an NPU, where there are any."""

    target: Target
    models: Mapping[str, Path]
    settings: Settings
    logs: Path
    prefix: str = ""
    clock: Clock = field(default_factory=SystemClock)
    quiet: bool = False
    compiled: Mapping[str, Path] = field(default_factory=dict)

    def model(self, cell: Cell) -> Path:
        """The file of a cell: on an NPU what was compiled for it, where that was asked for."""
        return (self.compiled if cell.backend == NPU else self.models).get(cell.variant, self.models[cell.variant])

    def say(self, line: str) -> None:
        """A line of the progress."""
        if not self.quiet:
            tell(self.prefix + line)


def run(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    """Measure what the ledger lacks: first the rest of an interrupted session, then a new session.

    Raises TargetLostError saying what is missing when the target does not come back.
    """
    own_folder(bench.logs)
    _measure_all(bench, ledger, wanted)
    _examine(bench, ledger, wanted)


def _measure_all(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    interrupted = resumable(ledger.index, wanted)
    if interrupted is not None:
        bench.say(f"note: going on with session {interrupted.line.session}")
        _run_session(bench, ledger, interrupted, wanted)
    tried = set() if interrupted is None else set(interrupted.line.cells)
    cells = unmeasured(ledger.index, wanted)
    if set(cells) <= tried:
        return
    if (why := why_again(ledger.lines, wanted)) is not None:
        bench.say(why)
    line = SessionLine(
        session=1 + max(ledger.index.sessions, default=-1),
        seed=wanted.seed,
        cells=cells,
        rounds=wanted.limits.fewest,
        fingerprint=wanted.fingerprint,
        settings_sha256=wanted.settings_sha256,
        started_at=bench.clock.now(),
        facts=wanted.facts,
        settings=wanted.settings,
        reference=wanted.reference,
        app_sha256=wanted.app_sha256,
        tools=wanted.tools,
    )
    ledger.append(line)
    _run_session(bench, ledger, ledger.index.sessions[line.session], wanted)


def _run_session(bench: Bench, ledger: Ledger, session: Session, wanted: Wanted) -> None:
    ran = False
    while (slot := next_step(session, wanted.limits)) is not None:
        try:
            if _opens_segment(session, slot):
                state = look(bench.target, ledger, session, slot, bench.clock)
                status = bench.target.thermal_status() if state is None else state.thermal_status
                cool(bench.target, session, bench.clock, bench.say, status)
            line = _measure(bench, session, slot)
        except TargetLostError as lost:
            raise _missing(lost, session, wanted.limits.fewest) from None
        ran = True
        ledger.append(line)
        if not bench.quiet:
            bench.say(_describe(line, session, wanted.limits.fewest))
    if ran:
        look(bench.target, ledger, session, None, bench.clock)


def _opens_segment(session: Session, slot: Slot) -> bool:
    if slot.retry:
        return False
    if not session.runs:
        return True
    last = session.runs[-1]
    return (slot.round, slot.segment, slot.attempt) != (last.round, last.segment, last.attempt)


def _missing(lost: TargetLostError, session: Session, rounds: int) -> TargetLostError:
    """The error with what is not measured, in words."""
    left = session.left(max(rounds, session.rounds + (session.within_round() is not None)))
    total = len(session.runs) + len(left)
    names = ", ".join(dict.fromkeys(_where(slot.cell) for slot in left))
    return TargetLostError(f"{lost.message}; {len(left)} of {total} processes are missing: {names}", hint=lost.hint)


def _examine(bench: Bench, ledger: Ledger, wanted: Wanted) -> None:
    """Look once at every cell that was measured; after all timed processes, so as not to heat them."""
    images, profile = wanted.examined
    for cell, session in measured_cells(ledger.index, wanted):
        number = session.line.session
        if ledger.index.examination(number, cell, wanted.examined) is not None:
            continue
        name = f"{number:03d}-{file_name(cell)}"
        found = bench.target.examine(bench.model(cell), cell, bench.settings, bench.logs, name)
        if found is not None:
            line = ExaminationLine(session=number, cell=cell, outputs_images=images, profile=profile, examination=found)
            ledger.append(line)


def measured_cells(index: Index, wanted: Wanted) -> Iterator[tuple[Cell, Session]]:
    """Cells that at least one timed process measured, each with the session that its row is from."""
    for cell in wanted.cells:
        session = shown_session(index, cell, wanted)
        if any(isinstance(run.outcome, Measured) for run in session.kept[cell]):
            yield cell, session


def file_name(cell: Cell) -> str:
    """Safe in a path, and the same however the matrix grows."""
    return f"{cell.variant}-{cell.backend}-x{cell.threads}-{cell.runner}"


def _measure(bench: Bench, session: Session, slot: Slot) -> RunLine:
    started = bench.clock.now()
    number, order = session.line.session, len(session.runs)
    log = bench.logs / f"{number:03d}-{order:04d}.log"
    reading = bench.target.measure(bench.model(slot.cell), slot.cell, bench.settings, log)
    return RunLine(
        session=number,
        round=slot.round,
        order=order,
        cell=slot.cell,
        started_at=started,
        load_1min=reading.load_1min,
        outcome=reading.outcome,
        warmup_samples_us=reading.warmup_samples_us,
        samples_us=reading.samples_us,
        segment=slot.segment,
        attempt=slot.attempt,
        place=slot.place,
        retry=slot.retry,
        took_s=max(0.0, (bench.clock.now() - started).total_seconds()),
    )


def _describe(line: RunLine, session: Session, rounds: int) -> str:
    match line.outcome:
        case Measured():
            ending = duration(line.outcome.steady.typical_us)
        case Unsupported(reason=reason):
            ending = f"unsupported: {reason}"
        case Failed(reason=reason):
            ending = f"FAILED: {reason}"
    begun = session.rounds + (session.within_round() is not None)
    total = len(session.runs) + len(session.left(max(rounds, begun)))
    again = "  (again)" if line.attempt or line.retry else WORDS[line.place]
    return f"[{line.order + 1}/{total}] round {line.round + 1}  {_where(line.cell)}  {ending}{again}"


def _where(cell: Cell) -> str:
    return f"{cell.variant} {cell.backend} x{cell.threads}{RUNNERS[cell.runner]}"
