"""The cells of a results file whose latency another tool may compare. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from common.printable import clean
from common.schema.benchmark import RUNNERS
from common.schema.results import Latency, Measurement, Results


@dataclass(frozen=True)
class Cell:
    """A measured cell: its name for other tools, and the latencies of its processes that count, in their order."""

    name: str
    measurement: Measurement
    latency: Latency
    processes_us: tuple[float, ...]


def cells(results: Results) -> Iterator[Cell]:
    """In the file's order. Left out are targets that only show function, and what the judge takes for no result of its
    backend: a fallback, wrong answers, a cell that failed too often."""
    shown = {target.name for target in results.targets if target.functional_only}
    for one in results.measurements:
        if isinstance(one.result, Latency) and one.target not in shown and _is_result(results, one):
            yield Cell(_name(one), one, one.result, _processes(results, one) or (one.result.latency_us,))


def _name(one: Measurement) -> str:
    # A device calls itself what it likes, and compare.py prints it.
    backend = clean(one.backend) + RUNNERS[one.runner].replace(" ", "_")
    return f"{one.variant}/{clean(one.target)}/{backend}/threads:{one.threads}"


def _is_result(results: Results, one: Measurement) -> bool:
    judgement = None if results.choice is None else results.choice.judgement
    speed = None if judgement is None else judgement.speed(one.variant, one.setting)
    return speed is None or speed.is_result


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
