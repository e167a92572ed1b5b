"""What a benchmark states beside what its records give: the log of a process, its line in the ledger, the rows."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.artifact import content
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.findings import differences
from common.schema.benchmark import (
    Benchmark,
    Cell,
    ExaminationLine,
    LedgerLine,
    MemoryLine,
    RunLine,
    Runner,
    SessionLine,
    Sustained,
)
from common.schema.caution import BusyMachine, OtherInputs
from common.schema.duration import seconds
from common.schema.evidence import Finding
from common.schema.outcome import Measured, Memory
from common.schema.variant import Variant
from jobs.benchmark.cautions import BUSY, cautions
from jobs.benchmark.endurance import sustained
from jobs.benchmark.follows.logged import RUNNERS, logged
from jobs.benchmark.ledger import Index, indexed
from jobs.benchmark.memory import PROCESSES
from jobs.benchmark.protocol import file_name, measured_cells
from jobs.benchmark.rows import noises, rows, sessions
from jobs.benchmark.statistics import memory_of, stat
from jobs.benchmark.sustained import chosen, finished
from jobs.benchmark.wanted import Wanted, resumable, shown_session, want_on

# Of an executable's output a device may send so much.
MOST_LOG_BYTES = 16 << 20


@dataclass(frozen=True)
class Files:
    """What a run measured: its variants by name, and the hash of the samples that they were fed with, where there are
    any."""

    made: Mapping[str, Variant]
    samples_sha256: str | None


@dataclass
class Records:
    """A benchmark's folder and what it is called; counts the processes of the ledger, their logs that were read, and
    those with figures that the ledger alone has: neither samples nor a log tell them."""

    folder: Path
    where: str
    on_host: bool
    processes: int = 0
    logs: int = 0
    alone: int = 0
    _memory: dict[tuple[int, Cell], int] | None = None

    def memory_log(self, line: MemoryLine) -> str:
        """The log of a process that was run for memory: the next one of its cell."""
        self._memory = self._memory or {}
        attempt = self._memory.get((line.session, line.cell), 0)
        self._memory[line.session, line.cell] = attempt + 1
        return f"{line.session:03d}-{file_name(line.cell)}-memory-{attempt}.log"


def unlike_records(records: Records, number: int, line: LedgerLine) -> Iterator[Finding]:
    """How a line of the ledger differs from what its process printed, and from its own samples."""
    where = f"{records.where}/ledger.jsonl, line {number}: "
    if isinstance(line, RunLine):
        records.processes += 1
        yield from _unlike_samples(where, line)
        log, has_samples = f"{line.session:03d}-{line.order:04d}.log", bool(line.samples_us)
        yield from _unlike_log(records, where, line, log, has_samples=has_samples)
    elif isinstance(line, MemoryLine):
        records.processes += 1
        yield from _unlike_log(records, where, line, records.memory_log(line))


def _unlike_samples(where: str, line: RunLine) -> Iterator[Finding]:
    """A process whose every sample is there: its figures are those of the samples."""
    outcome = line.outcome
    if not isinstance(outcome, Measured):
        return
    for phase, told, samples in (
        ("steady", outcome.steady, line.samples_us),
        ("warmup", outcome.warmup, line.warmup_samples_us),
    ):
        if samples:
            yield from differences(f"{where}{phase}", told, stat(samples))
    if line.warmup_samples_us:
        yield from differences(f"{where}first_us", outcome.first_us, line.warmup_samples_us[0])


def _unlike_log(
    records: Records, where: str, line: RunLine | MemoryLine, name: str, *, has_samples: bool = False
) -> Iterator[Finding]:
    """The tool's own words for a process that ended well, where it prints its figures: the host's is no such tool."""
    told, cell = line.outcome, line.cell
    if not isinstance(told, Measured | Memory):
        return
    if cell.runner not in RUNNERS or records.on_host:
        records.alone += not has_samples
        return
    log = records.folder / "logs" / name
    try:
        text = content(log, MOST_LOG_BYTES).decode("utf-8", "replace")
    except UsageError:
        yield Finding(where=f"{where}its log", stated=f"logs/{name}", derived="no such file")
        return
    records.logs += 1
    found = logged(text, cell.backend, f"logs/{name}")
    if isinstance(told, Memory) and isinstance(found, Measured):
        yield from differences(f"{where}outcome", told, memory_of(found))
    else:
        yield from differences(f"{where}outcome", told, found)


def unlike_ledger(
    where: str, stated: Benchmark, lines: Sequence[LedgerLine], files: Files, experiment: LoadedExperiment
) -> Iterator[Finding]:
    """How an artifact differs from what its ledger gives."""
    index = indexed(lines)
    wanted = wanted_of(stated, files, experiment.settings.reference)
    yield from _unlike_machine(where, stated)
    unmeasured = [cell for cell in wanted.cells if not any(one.kept[cell] for one in index.sessions_of(cell))]
    for cell in unmeasured:
        said = f"{where}: the cell of {cell.variant} on {cell.backend}"
        yield Finding(where=said, stated="in a row", derived="none in the ledger")
    if unmeasured:
        return
    yield from _order(where, index, wanted)
    yield from _repeated(where, lines)
    yield from _memory_again(where, index, wanted)
    yield from differences(f"{where}: ", stated, derive(stated, lines, wanted, experiment))


def derive(stated: Benchmark, lines: Sequence[LedgerLine], wanted: Wanted, experiment: LoadedExperiment) -> Benchmark:
    """The artifact with everything that the ledger gives in place of what is stated."""
    index = indexed(lines)
    found, noise, told = rows(index, wanted), noises(index, wanted), sessions(index, wanted)
    states = [line for one in told for line in index.states(one.session)]
    busy, unfed = _taken(stated)
    warned = cautions(found, stated.target, noise, told, cores=1, busy=busy, unfed=unfed, states=states)
    derived: dict[str, object] = {"rows": found, "noise": noise, "sessions": told, "reference": wanted.reference}
    derived |= {"sustained": _endured(stated, lines, experiment)}
    derived |= {"settings": experiment.settings.benchmark.on(stated.target.kind)}
    derived |= {"warnings": tuple(_as_stated(stated, one) for one in warned)}
    return stated.model_copy(update=derived)


def _order(where: str, index: Index, wanted: Wanted) -> Iterator[Finding]:
    """The processes of every session that a row is of run in the order that its seed prescribes, to its end."""
    for number in sorted({shown_session(index, cell, wanted).line.session for cell in wanted.cells}):
        if not index.sessions[number].sound:
            said = f"{where}: the order of the processes of session {number}"
            yield Finding(where=said, stated="the ledger's", derived="another one")
    unfinished = resumable(index, wanted)
    if unfinished is not None:
        said = f"{where}: the last process of session {unfinished.line.session}"
        yield Finding(where=said, stated="the ledger's last", derived="one more")


def _repeated(where: str, lines: Sequence[LedgerLine]) -> Iterator[Finding]:
    """What the protocol does once: a session begins, a cell is looked at, some processes are run for its memory."""
    begun = Counter(line.session for line in lines if isinstance(line, SessionLine))
    looks = [line for line in lines if isinstance(line, ExaminationLine)]
    looked = Counter(
        (x.session, x.cell.variant, x.cell.backend, x.cell.threads, x.cell.runner, x.profile) for x in looks
    )
    for what, found in (("beginning of session", begun), ("look at", looked)):
        for key, count in found.items():
            if count > 1:
                yield Finding(where=f"{where}: lines for one {what} {key}", stated=str(count), derived="1")


def _memory_again(where: str, index: Index, wanted: Wanted) -> Iterator[Finding]:
    """Every cell that was measured has as many processes for its memory as the protocol runs; none of them has any in a
    ledger of an earlier version."""
    asked = [(cell, index.memory(session.line.session, cell)) for cell, session in measured_cells(index, wanted)]
    for cell, found in asked if any(found for _, found in asked) else ():
        if len(found) != PROCESSES:
            said = f"{where}: processes for the memory of {cell.variant} on {cell.backend}"
            yield Finding(where=said, stated=str(len(found)), derived=str(PROCESSES))


def wanted_of(stated: Benchmark, files: Files, reference: str) -> Wanted:
    """What was wanted of a benchmark, told by the run's files and by the programs that its rows name."""
    runners: dict[str, list[Runner]] = {}
    for row in stated.rows:
        used = runners.setdefault(row.cell.backend, [])
        if row.cell.runner not in used:
            used.append(row.cell.runner)
    return want_on(
        stated.target,
        files.made,
        stated.settings,
        reference=reference,
        seed=stated.provenance.seed,
        runners=runners,
        samples_sha256=files.samples_sha256,
    )


def _unlike_machine(where: str, stated: Benchmark) -> Iterator[Finding]:
    """This machine's fingerprint is that of its facts; a device's has hashes of files in it that no artifact names."""
    target = stated.target
    if target.kind == "host":
        text = "\n".join(f"{label}={value}" for label, value in target.lasting)
        derived = hashlib.sha256(text.encode()).hexdigest()
        yield from differences(f"{where}: target.fingerprint", target.fingerprint, derived)


def _taken(stated: Benchmark) -> tuple[float, dict[Cell, str]]:
    """What no ledger tells, from the warnings: the cores that others used, and why cells had other inputs."""
    busy = next((one.used / max(1, one.cores) for one in stated.warnings if isinstance(one, BusyMachine)), 0.0)
    others = [one for one in stated.warnings if isinstance(one, OtherInputs)]
    unfed = {
        row.cell: one.reason
        for one in others
        for row in stated.rows
        if row.cell.variant in one.variants and row.cell.runner == one.runner
    }
    return busy, unfed


def _as_stated(stated: Benchmark, caution: object) -> object:
    """A busy machine's own figures, which are taken from the warning itself; any other caution as it is."""
    said = [one for one in stated.warnings if isinstance(one, BusyMachine) and one.used > BUSY * one.cores]
    return said[0] if isinstance(caution, BusyMachine) and said else caution


def _endured(stated: Benchmark, lines: Sequence[LedgerLine], experiment: LoadedExperiment) -> tuple[Sustained, ...]:
    """What of the sustained loads came to its end."""
    if stated.settings.sustained is None:
        return ()
    duration_s = seconds(stated.settings.sustained)
    loaded = chosen(stated.rows, stated.settings, experiment.settings.choose, stated.reference)
    starts = [finished(lines, row, duration_s) for row in loaded]
    return tuple(sustained(lines, start) for start in starts if start is not None)
