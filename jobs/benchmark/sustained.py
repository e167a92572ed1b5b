"""Sustained mode: chosen cells run back to back, without a pause, until a duration is over."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from common.numbers import duration
from common.schema.benchmark import (
    LedgerLine,
    Row,
    Summary,
    Sustained,
    SustainedLine,
    SustainedStart,
)
from common.schema.duration import seconds
from common.schema.experiment import Benchmark as Settings
from common.schema.experiment import Choose
from common.schema.outcome import Measured
from common.schema.power import PowerReading
from jobs.benchmark.endurance import over, processes, sustained
from jobs.benchmark.heat import settle
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.protocol import Bench

# Beside the reference, where the experiment names none.
FASTEST = 2
PREFERRED = "xnnpack"
# benchmark_model prints no samples, so that a process is a point of the curve: short ones, but longer than their start.
LEAST_PART_S, MOST_PART_S, PARTS = 5.0, 10.0, 60
IDLE_S = 60.0


def chosen(rows: Sequence[Row], settings: Settings, rules: Choose, reference: str) -> tuple[Row, ...]:
    """The rows whose cells are sustained, of those that were measured: the experiment's variants and backends, else
    the reference and the fastest others on the backend that decides."""
    threads = rules.threads or settings.threads[0]
    measured = [row for row in rows if isinstance(row.result, Summary) and row.cell.runner != "app"]
    measured = [row for row in measured if row.cell.threads == threads]
    backends = settings.sustained_backends or _deciding(measured, rules)
    found: list[Row] = []
    for backend in backends:
        group = [row for row in measured if row.cell.backend == backend]
        # Of two programs that measure it, the first.
        group = [row for row in group if row.cell.runner == group[0].cell.runner]
        named = settings.sustained_variants or (reference, *_fastest(group, reference))
        found += [row for name in named for row in group if row.cell.variant == name]
    return tuple(found)


def _deciding(measured: Sequence[Row], rules: Choose) -> tuple[str, ...]:
    there = dict.fromkeys(row.cell.backend for row in measured)
    return (*(name for name in (rules.backend or PREFERRED,) if name in there), *there)[:1]


def _fastest(group: Sequence[Row], reference: str) -> tuple[str, ...]:
    others = [(row.result.latency_us, row.cell.variant) for row in group if isinstance(row.result, Summary)]
    return tuple(name for _, name in sorted(others) if name != reference)[:FASTEST]


def run(bench: Bench, ledger: Ledger, rows: Sequence[Row]) -> tuple[Sustained, ...]:
    """Sustain the cells of these rows, each once; what the ledger holds in whole is not done again.

    Raises TargetLostError when the target does not come back. A cell that was interrupted begins anew: heat is a
    state that no ledger keeps.
    """
    if bench.settings.sustained is None:
        return ()
    duration_s = seconds(bench.settings.sustained)
    for number, row in enumerate(rows):
        if finished(ledger.lines, row, duration_s) is None:
            start = _begin(bench, ledger.lines, row, duration_s)
            ledger.append(start)
            _load(bench, ledger, start, number)
    starts = [finished(ledger.lines, row, duration_s) for row in rows]
    return tuple(sustained(ledger.lines, start) for start in starts if start is not None)


def finished(lines: Sequence[LedgerLine], row: Row, duration_s: float) -> SustainedStart | None:
    """The latest attempt at a cell that came to its end, in the session that its row is of."""
    wanted = (row.session, row.cell, duration_s)
    starts = [x for x in lines if isinstance(x, SustainedStart) and (x.session, x.cell, x.duration_s) == wanted]
    return next((start for start in reversed(starts) if over(processes(lines, start), duration_s)), None)


def _begin(bench: Bench, lines: Sequence[LedgerLine], row: Row, duration_s: float) -> SustainedStart:
    starts = [x for x in lines if isinstance(x, SustainedStart)]
    attempts = [x.attempt for x in starts if x.cell == row.cell]
    begun = [x.before.celsius for x in starts if x.session == row.session and x.before is not None]
    coolest = min((celsius for celsius in begun if celsius is not None), default=None)
    cooled_s = settle(bench.target, coolest, bench.clock, bench.say)
    idle = tuple(_rest(bench, duration_s))
    return SustainedStart(
        session=row.session,
        cell=row.cell,
        duration_s=duration_s,
        attempt=1 + max(attempts, default=-1),
        started_at=bench.clock.now(),
        idle=idle,
        before=bench.target.power(0.0),
        cooled_s=cooled_s,
    )


def _rest(bench: Bench, duration_s: float) -> Iterator[PowerReading]:
    """What an idle minute takes, read as often as under load, so that the reading's own cost is in both."""
    rest_s = min(IDLE_S, duration_s)
    began = bench.clock.now()
    while (at_s := (bench.clock.now() - began).total_seconds() - rest_s) < 0:
        reading = bench.target.power(at_s)
        # A device that charges tells no energy anyhow.
        if reading is None or reading.plugged:
            return
        yield reading
        bench.clock.wait(min(part_s(duration_s), -at_s))


def part_s(duration_s: float) -> float:
    """How long one process of a load runs: as many as give a curve, with as little between them as can be."""
    return min(max(duration_s / PARTS, LEAST_PART_S), MOST_PART_S)


def _load(bench: Bench, ledger: Ledger, start: SustainedStart, number: int) -> None:
    settings = part_settings(bench.settings, start.duration_s)
    lines: list[SustainedLine] = []
    began = bench.clock.now()
    while not over(lines, start.duration_s):
        log = bench.logs / f"{start.session:03d}-sustained-{number:02d}-{len(lines):04d}.log"
        line = _part(replace(bench, settings=settings), start, log, began)
        ledger.append(line)
        lines.append(line)
        bench.say(_describe(line, start.duration_s))


def part_settings(settings: Settings, duration_s: float) -> Settings:
    """The times of one process of a load."""
    least_s = part_s(duration_s)
    times = {"warmup_runs": 1, "warmup_min_secs": 0.0, "num_runs": 1, "min_secs": least_s}
    return settings.model_copy(update={**times, "max_secs": max(settings.max_secs, least_s)})


def _part(bench: Bench, start: SustainedStart, log: Path, began: datetime) -> SustainedLine:
    def since() -> float:
        return (bench.clock.now() - began).total_seconds()

    at = since()
    reading = bench.target.measure(bench.model(start.cell), start.cell, bench.settings, log)
    end = since()
    power = bench.target.power(end)
    return SustainedLine(
        session=start.session,
        cell=start.cell,
        attempt=start.attempt,
        start_s=at,
        end_s=end,
        outcome=reading.outcome,
        power=power,
    )


def _describe(line: SustainedLine, duration_s: float) -> str:
    cell = line.cell
    ending = duration(line.outcome.steady.typical_us) if isinstance(line.outcome, Measured) else line.outcome.reason
    return f"[{line.end_s:.0f}/{duration_s:.0f} s] sustained  {cell.variant} {cell.backend} x{cell.threads}  {ending}"
