"""How well a cost table predicts files that it has not seen, from a finished run: Spearman's rank correlation and the
median error of each file predicted from all others.

    python -m tests.benchmarks.cost_table <run folder>

Prints a row for each number format in the files' names (`<structure>.<format>`), and one for all.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from common.artifact import read, verified
from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.costs import Observation
from common.schema.variant import Variant
from jobs.search.costs import held_out


def observation(row: Row, run: Path) -> Observation | None:
    """What was measured of a row's file; None where nothing was."""
    if not isinstance(row.result, Summary) or row.examination is None:
        return None
    folder = run / "variants" / row.cell.variant
    content = verified(folder, read(folder / "variant.json", Variant).model).read_bytes()
    return Observation(
        name=row.cell.variant,
        content=content,
        layers=row.examination.layers,
        latency_us=row.result.cpu_us or row.result.latency_us,
    )


def main(run: Path) -> None:
    """Print the table of every target, backend and number of threads."""
    for path in sorted(run.glob("benchmark/*/benchmark.json")):
        bench = read(path, Benchmark)
        for backend, threads in sorted({(row.cell.backend, row.cell.threads) for row in bench.rows}):
            rows = [row for row in bench.rows if (row.cell.backend, row.cell.threads) == (backend, threads)]
            found = [one for row in rows if (one := observation(row, run)) is not None]
            print(f"{bench.target.name}, {backend}, {threads} threads")
            for form in sorted({one.name.rpartition(".")[2] for one in found}):
                tell(form, [one for one in found if one.name.endswith(f".{form}")])
            tell("all", found)


def tell(name: str, observations: Sequence[Observation]) -> None:
    """A row of the table."""
    told = held_out(observations)
    if told.spearman is None or told.median_error is None:
        print(f"{name:16} {told.n:4} files: too few")
    else:
        print(f"{name:16} {told.n:4} files: Spearman {told.spearman:.3f}, median error {told.median_error:.1%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
