"""The cells of a results file whose latency another tool may compare. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from common.schema.judgement import Speed
from common.schema.results import Latency, Measurement, Results
from jobs.formats.names import backend, distinct, short


@dataclass(frozen=True)
class Cell:
    """A measured cell: its name for other tools, and the latencies of its processes that count, in their order."""

    name: str
    measurement: Measurement
    latency: Latency
    processes_us: tuple[float, ...]


def cells(results: Results) -> Iterator[Cell]:
    """In the file's order, each of another name. Left out are targets that only show function, and what the judge takes
    for no result of its backend: a fallback, wrong answers, a cell that failed too often."""
    shown = {target.name for target in results.targets if target.functional_only}
    found = [
        (one, one.result)
        for one in results.measurements
        if isinstance(one.result, Latency) and one.target not in shown and _is_result(results, one)
    ]
    for name, (one, latency) in zip(distinct(_name(one) for one, _ in found), found, strict=True):
        yield Cell(name, one, latency, _processes(results, one) or (latency.latency_us,))


def _name(one: Measurement) -> str:
    return f"{one.variant}/{short(one.target)}/{backend(one.backend, one.runner)}/threads:{one.threads}"


def verdict(results: Results, one: Measurement) -> Speed | None:
    """What the judge says of a cell; None where it was not asked."""
    judgement = None if results.choice is None else results.choice.judgement
    return None if judgement is None else judgement.speed(one.variant, one.setting)


def _is_result(results: Results, one: Measurement) -> bool:
    found = verdict(results, one)
    return found is None or found.is_result


def _processes(results: Results, one: Measurement) -> tuple[float, ...]:
    place = (one.target, one.backend, one.threads, one.runner)
    for trace in results.traces:
        if (trace.target, trace.backend, trace.threads, trace.runner) != place:
            continue
        own = [p for p in trace.processes if p.variant == one.variant and p.discarded is None]
        known = tuple(process.latency_us for process in own if process.latency_us is not None)
        if known:
            return known
    return ()
