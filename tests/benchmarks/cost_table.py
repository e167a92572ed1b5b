"""How well a cost table predicts files that it has not seen, from a finished run.

    python -m tests.benchmarks.cost_table <run folder> [<the same files measured once more>]

Prints for each number format in the files' names (`<structure>.<format>`), and for all: Spearman's rank correlation and
the median error of each file predicted from all others, and of the rest predicted from a few, drawn 20 times. With a
second run the same of its latencies, as if the first run's were the prediction: no prediction can be better than that.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import spearmanr

from common.artifact import read, verified
from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.costs import CostTable, Observation, Target
from common.schema.variant import Variant
from jobs.search.costs import Predictor, held_out, merged

FEW, DRAWS = (8, 16, 32), 20
SOME = Target(device="any", fingerprint="0" * 64, backend="any", threads=1, tool="any")
# How names end; all of them with nothing.
FORMATS = ("float32", "dynamic_range", "int8", "")


def observation(row: Row, variants: Path) -> Observation | None:
    """What was measured of a row's file; None where nothing was."""
    if not isinstance(row.result, Summary) or row.examination is None:
        return None
    folder = variants / row.cell.variant
    content = verified(folder, read(folder / "variant.json", Variant).model).read_bytes()
    # Of one thread the CPU time is its own; of several it is their sum.
    cpu_us = row.result.cpu_us if row.cell.threads == 1 else None
    return Observation(
        name=row.cell.variant,
        content=content,
        layers=row.examination.layers,
        latency_us=cpu_us or row.result.latency_us,
    )


def observations(run: Path, variants: Path) -> tuple[Observation, ...]:
    """All files of a run with one target, backend and number of threads."""
    [path] = run.glob("benchmark/*/benchmark.json")
    return tuple(one for row in read(path, Benchmark).rows if (one := observation(row, variants)) is not None)


def worth(predicted: Sequence[float], measured: Sequence[float]) -> tuple[float, float]:
    """Rank correlation and median relative error."""
    errors = np.abs(np.array(predicted) - np.array(measured)) / np.array(measured)
    return float(spearmanr(predicted, measured).statistic), float(np.median(errors))


def from_few(found: Sequence[Observation], count: int, seed: int) -> tuple[float, float]:
    """The same of the rest, from `count` that are drawn."""
    drawn = random.Random(seed).sample(range(len(found)), count)  # noqa: S311
    table = merged(CostTable(target=SOME), [found[number] for number in drawn])
    known = Predictor(table.entries)
    rest = [one for number, one in enumerate(found) if number not in drawn]
    return worth([known.predict(one.content).us or 0.0 for one in rest], [one.latency_us for one in rest])


def told(found: Sequence[Observation], second: dict[str, float]) -> str:
    """The figures of some files."""
    each = held_out(found)
    if each.spearman is None or each.median_error is None:
        return f"{each.n:4} files, too few"
    worths = [("each from the others", (each.spearman, each.median_error))]
    for count in (few for few in FEW if 2 * few <= len(found)):
        draws = [from_few(found, count, seed) for seed in range(DRAWS)]
        worths.append((f"from {count}", (median(one[0] for one in draws), median(one[1] for one in draws))))
    both = [(one.latency_us, second[one.name]) for one in found if one.name in second]
    if both:
        worths.append(("measured again", worth(*zip(*both, strict=True))))
    return f"{each.n:4} files; " + ", ".join(f"{name} {rank:.3f} {error:.1%}" for name, (rank, error) in worths)


def main(run: Path, again: Path | None) -> None:
    """Print the figures."""
    variants = run / "variants"
    first = observations(run, variants)
    second = {} if again is None else {one.name: one.latency_us for one in observations(again, variants)}
    for form in FORMATS:
        print(f"{form or 'all':14}" + told([one for one in first if one.name.endswith(form)], second))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
