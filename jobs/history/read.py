"""The sessions of a run, from its ledgers or, where there are none, from its results file. The run may be anybody's."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from common.artifact import read_hashed, verified
from common.errors import UsageError
from common.run.layout import RESULTS
from common.run.ledger import check_ledger
from common.run.past import processor_sha256
from common.run.read import BENCHMARK
from common.run.setup import Side
from common.run.spread import Key, Session, key, of_ledger, of_traces
from common.schema.benchmark import Benchmark, RunLine, SessionLine
from common.schema.environment import Environment
from common.schema.outcome import Measured
from common.schema.results import Results
from jobs.history.facts import Fact, of_machine, of_session, of_target

BENCHMARKS = "benchmark"
NOTHING = "it holds no finished benchmark and no report"


@dataclass(frozen=True)
class Process:
    """A process that was measured: the typical latency in microseconds, the machine's load over one minute."""

    variant: str
    key: Key
    us: float
    load: float | None


@dataclass(frozen=True)
class Past:
    """A session of a run as it was read, and when it was measured. `processor` is the hash of what names that."""

    run: str
    experiment: str
    machine: Environment
    session: Session
    at: datetime
    ledger: bool
    processor: str | None
    facts: tuple[Fact, ...]
    processes: tuple[Process, ...]


def benchmarks(run: Path) -> tuple[Path, ...]:
    """Every finished benchmark of a run. Raises UsageError for one behind a link."""
    return tuple(own(path, run) for path in sorted(run.glob(f"{BENCHMARKS}/*/{BENCHMARK}")))


def own(path: Path, run: Path) -> Path:
    """Raises UsageError for a file that no link may lead to."""
    if path.resolve() != run.resolve() / path.relative_to(run):
        raise UsageError(f"{path} is reached through a link", hint="put the files themselves there")
    return path


def of_benchmark(run: str, path: Path) -> tuple[tuple[Past, ...], str]:
    """The sessions of a target's ledger, and the hash of the benchmark. Raises UsageError where one is damaged."""
    benchmark, digest = read_hashed(path, Benchmark)
    lines = check_ledger(benchmark, own(verified(path.parent, benchmark.ledger), path.parent))
    sessions = of_ledger(benchmark.target.name, benchmark.reference, lines)
    begun = (line for line in lines if isinstance(line, SessionLine))
    processes: dict[int, list[Process]] = {}
    for line in lines:
        if isinstance(line, RunLine) and isinstance(line.outcome, Measured):
            made = Process(line.cell.variant, key(line.cell), line.outcome.steady.typical_us, line.load_1min)
            processes.setdefault(line.session, []).append(made)
    found = tuple(
        Past(
            run=run,
            experiment=benchmark.provenance.experiment,
            machine=benchmark.target,
            session=session,
            at=_utc(line.started_at),
            ledger=True,
            processor=processor_sha256(of_machine(line, benchmark.target)),
            facts=of_session(line, benchmark.target),
            processes=tuple(processes.get(line.session, ())),
        )
        for session, line in zip(sessions, begun, strict=True)
    )
    return found, digest


def of_results(run: str, folder: Path, known: frozenset[str]) -> tuple[Past, ...]:
    """The sessions that a results file's figures are of; those of benchmarks in `known` (hashes) are left out.

    Raises UsageError where there is no such file, it is damaged, or does not say when it was made.
    """
    path = folder / RESULTS
    if not path.is_file():
        raise UsageError(NOTHING)
    results, digest = read_hashed(own(path, folder), Results)
    told = [manifest.finished_at for manifest in results.provenance]
    if not told or not results.traces:
        raise UsageError(f"{path} holds no processes, or not when they ran", hint="keep the run's benchmark folder")
    at, experiment = max(map(_utc, told)), results.provenance[-1].experiment
    inputs = [entry for manifest in results.provenance for entry in manifest.inputs]
    there = {entry.role for entry in inputs if entry.sha256 in known}
    sessions = of_traces(results.traces, Side(results, digest).hashes, digest, results.reference)
    machines = {target.name: target for target in results.targets}
    return tuple(
        # What ran is told by the machine's fingerprint, the settings by nothing.
        Past(
            run=run,
            experiment=experiment,
            machine=machine,
            session=replace(session, conditions=f"{machine.fingerprint} {digest}"),
            at=at,
            ledger=False,
            processor=processor_sha256(machine.lasting),
            facts=of_target(machine),
            processes=tuple(_traced(results, session, digest)),
        )
        for session in sessions
        if (machine := machines.get(session.target)) is not None and f"benchmark {session.target}" not in there
    )


def _traced(results: Results, session: Session, digest: str) -> Iterator[Process]:
    hashes = Side(results, digest).hashes
    for trace in results.traces:
        if (trace.target, f"{digest} {trace.session}") == (session.target, session.began):
            for process in trace.processes:
                if process.latency_us and process.discarded is None and process.variant in hashes:
                    place = (hashes[process.variant], trace.backend, trace.threads, trace.runner)
                    yield Process(process.variant, place, process.latency_us, process.load)


def _utc(moment: datetime) -> datetime:
    """A time without a zone can be compared with none that has one; one at the end of all times has no other."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
