"""What a step's measurements say of its candidates. Pure but for the files that are read."""

from collections.abc import Mapping
from importlib import metadata

from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.costs import Observation, Target
from common.schema.environment import Environment
from common.schema.search_result import Screened
from jobs.search.runs import Made, Where

# The host is measured with the runtime that is installed here.
RUNTIME = "ai-edge-litert"


def row(benchmark: Benchmark, variant: str, where: Where) -> Row | None:
    """A variant's cell where latencies count; an executable's before the app's."""
    found = [
        row
        for row in benchmark.rows
        if (row.cell.variant, row.cell.backend, row.cell.threads) == (variant, where.backend, where.threads)
    ]
    return min(found, key=lambda row: row.cell.runner == "app", default=None)


def time(benchmark: Benchmark, variant: str, where: Where) -> float | None:
    """Its latency as a share of the reference's, paired by round; None where it was not measured beside it."""
    if variant == benchmark.reference:
        return 1.0
    found = row(benchmark, variant, where)
    if found is None or not isinstance(found.result, Summary) or found.result.ratio is None:
        return None
    return 1 / found.result.ratio.value


def latency_us(benchmark: Benchmark, variant: str, where: Where) -> float | None:
    """CPU time of one thread where that is known: the wall clock of a busy machine tells of other programs too."""
    found = row(benchmark, variant, where)
    if found is None or not isinstance(found.result, Summary):
        return None
    return (found.result.cpu_us if where.threads == 1 else None) or found.result.latency_us


def screened(
    benchmark: Benchmark, made: Mapping[str, Made], where: Where, predicted: Mapping[str, float]
) -> dict[str, Screened]:
    """Every candidate that was made."""
    found = {}
    for name, one in made.items():
        if one.answers is not None:
            found[name] = Screened(
                time=time(benchmark, name, where),
                size_bytes=one.variant.model.size_bytes,
                validation=one.answers,
                predicted=predicted.get(name),
            )
    return found


def observations(benchmark: Benchmark, made: Mapping[str, Made], where: Where) -> tuple[Observation, ...]:
    """The candidates whose nodes were timed."""
    found = []
    for name, one in made.items():
        cell, us = row(benchmark, name, where), latency_us(benchmark, name, where)
        if cell is not None and us and cell.examination is not None and cell.examination.layers:
            layers = cell.examination.layers
            found.append(Observation(name=name, content=one.model.read_bytes(), layers=layers, latency_us=us))
    return tuple(found)


def target(environment: Environment, where: Where) -> Target:
    """What the times of a cost table belong to."""
    tool = f"{RUNTIME} {metadata.version(RUNTIME)}" if environment.kind == "host" else "benchmark_model"
    return Target(
        device=environment.name,
        fingerprint=environment.fingerprint,
        backend=where.backend,
        threads=where.threads,
        tool=tool,
    )
