"""What is wrong in a run, in a few words each, for the decision card. Pure."""

from collections.abc import Iterator

from common.numbers import count, listed
from common.schema.judgement import Cause
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Measurement, Results, Trace
from jobs.report.names import Grid, NoResult, Setting, variant_labels

# What a cell without a figure, or one that is not compared, is called. The rest is no fault.
FAULTS: dict[Cause, str] = {
    "fallback": "float fallback",
    "wrong answers": "failed the output check",
    "answers not checked": "output check not done",
    "failed": "failed",
    "too busy": "too busy to compare",
    "another processor": "measured on another processor",
}
NAMED = 2


def problems(results: Results) -> tuple[str, ...]:
    """Faults by kind, processes that were discarded, cells without a measurement, and how many warnings there are."""
    return tuple(_problems(results))


def _place(found: Measurement | Trace, variant: str) -> tuple[object, ...]:
    return variant, found.target, found.backend, found.threads, found.runner


def _problems(results: Results) -> Iterator[str]:
    for word, cells in _faults(results).items():
        yield f"{word}: {_named(results, cells)}"
    processes = [process for trace in results.traces for process in trace.processes]
    discarded = sum(process.discarded is not None for process in processes)
    if discarded:
        yield f"{discarded} of {count(len(processes), 'process', 'processes')} discarded"
    # Of a backend that is not there the processes tried and did not fail.
    tried = {_place(m, m.variant) for m in results.measurements if isinstance(m.result, Unsupported)}
    told = [(process, _place(trace, process.variant)) for trace in results.traces for process in trace.processes]
    failed = sum(process.latency_us is None and place not in tried for process, place in told)
    if failed:
        yield f"{count(failed, 'process', 'processes')} failed"
    grid = Grid(results)
    empty = sum(grid.measured(variant.name, s) is None for variant in results.variants for s in grid.settings)
    if empty:
        yield f"{count(empty, 'cell')} not measured"
    if results.warnings:
        yield count(len(results.warnings), "warning")


def _faults(results: Results) -> dict[str, list[tuple[str, Setting]]]:
    grid, found = Grid(results), dict[str, list[tuple[str, Setting]]]()
    for setting in grid.settings:
        for variant in results.variants:
            word = _fault(grid, variant.name, setting)
            if word is not None:
                found.setdefault(word, []).append((variant.name, setting))
    return found


def _fault(grid: Grid, name: str, setting: Setting) -> str | None:
    result, speed = grid.result(name, setting), grid.speed(name, setting)
    if speed is not None and speed.obstacle is not None and speed.obstacle.cause in FAULTS:
        return FAULTS[speed.obstacle.cause]
    if isinstance(result, Failed | NoResult):
        return {"wrong answers": FAULTS["wrong answers"], "fallback": FAULTS["fallback"]}.get(result.kind, "failed")
    return "not supported" if isinstance(result, Unsupported) else None


def _named(results: Results, cells: list[tuple[str, Setting]]) -> str:
    labels = variant_labels(results)
    where = tuple(dict.fromkeys(setting.backend_label for _, setting in cells))
    names = tuple(dict.fromkeys(labels[name] for name, _ in cells))
    who = listed(names) if len(names) <= NAMED else count(len(names), "variant")
    return f"{who} on {listed(where)}"
