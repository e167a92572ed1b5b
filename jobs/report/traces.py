"""Every process of the sessions that a run's figures are of, from the ledgers. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from common.run.read import Run
from common.schema.benchmark import Benchmark, Cell, LedgerLine, RunLine, Runner
from common.schema.outcome import Measured
from common.schema.results import Discarded, Process, Trace

Group = tuple[int, str, int, Runner]


def traces(run: Run) -> Iterator[Trace]:
    """One for every setting and session that a row is of, in the rows' order."""
    for target in run.targets:
        yield from _of_target(target.benchmark, target.lines)


def _of_target(benchmark: Benchmark, lines: Sequence[LedgerLine]) -> Iterator[Trace]:
    runs: dict[int, list[RunLine]] = {}
    for line in lines:
        if isinstance(line, RunLine):
            runs.setdefault(line.session, []).append(line)
    for group in dict.fromkeys(_group(row.session, row.cell) for row in benchmark.rows):
        own = [line for line in runs.get(group[0], []) if _group(line.session, line.cell) == group]
        if own:
            yield _trace(benchmark, group, own, runs[group[0]][0].started_at)


def _group(session: int, cell: Cell) -> Group:
    return session, cell.backend, cell.threads, cell.runner


def _trace(benchmark: Benchmark, group: Group, runs: Sequence[RunLine], began: datetime) -> Trace:
    session, backend, threads, runner = group
    names = {row.cell.variant for row in benchmark.rows}
    noise = [n for n in benchmark.noise if (n.session, n.backend, n.threads, n.runner) == group]
    attempts: dict[tuple[int, int], int] = {}
    retries: dict[tuple[object, ...], int] = {}
    for run in runs:
        attempts[run.round, run.segment] = max(run.attempt, attempts.get((run.round, run.segment), 0))
        retries[_slot(run)] = max(run.retry, retries.get(_slot(run), 0))

    def discarded(run: RunLine) -> Discarded | None:
        if run.retry < retries[_slot(run)]:
            return "run again"
        # References stay: they are the same file whatever came between.
        again = run.place == "within" and run.attempt < attempts[run.round, run.segment]
        return "segment again" if again else None

    return Trace(
        target=benchmark.target.name,
        backend=backend,
        threads=threads,
        runner=runner,
        session=session,
        floor=noise[0].floor if noise else None,
        facts=next((facts for facts in benchmark.sessions if facts.session == session), None),
        processes=tuple(
            Process(
                variant=run.cell.variant,
                round=run.round,
                start_s=(run.started_at - began).total_seconds(),
                latency_us=run.outcome.steady.typical_us if isinstance(run.outcome, Measured) else None,
                load=run.load_1min,
                reference=run.place != "within" or run.cell.variant == benchmark.reference,
                discarded=discarded(run),
            )
            for run in runs
            # The session may have had variants that the experiment has no longer.
            if run.cell.variant in names
        ),
    )


def _slot(run: RunLine) -> tuple[object, ...]:
    return run.round, run.segment, run.attempt, run.place, run.cell
