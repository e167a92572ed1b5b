"""What can be said of results that nobody judged. Pure."""

from collections.abc import Iterator

from common.numbers import duration, listed, megabytes
from common.schema.results import Results
from jobs.report.names import Grid, Setting, variant_labels


def measured(results: Results) -> Iterator[tuple[str, str]]:
    """What stands in the tables of results that nobody judged: names and values, from which nothing follows."""
    labels = variant_labels(results)
    if results.variants:
        size = min(v.size_bytes for v in results.variants)
        same = tuple(labels[v.name] for v in results.variants if megabytes(v.size_bytes) == megabytes(size))
        yield "Smallest", f"{listed(same)} ({megabytes(size)} MB)"
    grid = Grid(results)
    lowest = tuple(_lowest(results, grid, s) for s in grid.settings if not s.functional_only)
    known = tuple(part for part in lowest if part is not None)
    if known:
        yield "Lowest inference time", "; ".join(known)


def doubt(results: Results) -> str:
    """Why nothing is claimed of them."""
    if any(m.result.kind == "latency" and m.result.low_us is not None for m in results.measurements):
        return "Nobody judged these results, so that nothing is claimed of them."
    return "Without a spread nobody can tell which of their differences are real."


def _lowest(results: Results, grid: Grid, setting: Setting) -> str | None:
    found = [(v.name, x) for v in results.variants if (x := grid.latency(v.name, setting)) is not None]
    if not found:
        return None
    name, latency = min(found, key=lambda pair: pair[1].latency_us)
    return f"on {setting.label}: {variant_labels(results)[name]} ({duration(latency.latency_us)})"
