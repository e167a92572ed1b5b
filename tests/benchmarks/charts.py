"""How long the report's charts take and how large they are: 20 variants in 12 settings (3 devices, 4 backends).

python -m tests.benchmarks.charts
"""

import gzip
import resource
import time
from collections.abc import Callable, Sequence

from common.schema.judgement import Setting as Place
from common.schema.results import Results
from jobs.report.document import Chart
from jobs.report.draw import curves, forest, operators, quality, trace, tradeoff
from jobs.report.draw.points import VIEWS
from jobs.report.names import Grid
from tests.unit.report import drawn

VARIANTS = 20
PLACES = tuple(
    Place(target=target, backend=backend, threads=1)
    for target in ("host", "phone_a", "phone_b")
    for backend in ("cpu", "xnnpack", "gpu", "nnapi")
)


def main() -> None:
    """Print a line per kind of chart: how many, seconds, bytes as they stand in the page and compressed."""
    results = drawn.results(VARIANTS, places=PLACES)
    settings = Grid(results).settings
    kinds: dict[str, Callable[[], Sequence[Chart | None]]] = {
        "trade-off by latency": lambda: [tradeoff.tradeoff(results, s, "latency") for s in settings],
        "trade-off, all views": lambda: [tradeoff.tradeoff(results, s, by) for s in settings for by in VIEWS],
        "speed-ups": lambda: [forest.forest(results, s) for s in settings],
        "traces": lambda: [trace.trace(results, one) for one in results.traces],
        "strips": lambda: [trace.strip(results, one) for one in results.traces],
        "operators": lambda: [operators.work(results, s) for s in settings],
        "answers": lambda: [quality.won_lost(results), quality.recalls(results), quality.confusion(results)],
        "courses": lambda: [*_training(results), *curves.sustained(results)],
    }
    for name, draw in kinds.items():
        begin = time.perf_counter()
        found = [chart for chart in draw() if chart is not None]
        took = time.perf_counter() - begin
        text = "".join(chart.svg for chart in found).encode()
        small = len(gzip.compress(text, 6))
        print(f"{name:22} {len(found):3} charts {took:6.2f} s {len(text):9,} bytes {small:8,} compressed")
    print(f"peak resident set {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _training(results: Results) -> list[Chart | None]:
    return [] if results.training is None else [curves.training(results.training)]


if __name__ == "__main__":
    main()
