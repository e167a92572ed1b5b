"""How well a cost table predicts files that it has not seen, from a finished run.

    python -m tests.benchmarks.cost_table <run folder>

Prints for each number format in the files' names (`<structure>.<format>`), and for all: Spearman's rank correlation and
the median error of each file predicted from all others, and of the rest predicted from a few, drawn 20 times. Beside
them the same of one round's processes as a prediction of another's: what measuring itself is worth here. Last, by kind,
the median error of a kernel that the table is made without.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import spearmanr

from common.artifact import read, verified
from common.ledger import read_lines
from common.schema.benchmark import Benchmark, Cell, Row, RunLine, Summary
from common.schema.costs import CostTable, Observation, Target
from common.schema.outcome import Measured
from common.schema.variant import Variant
from jobs.search.costs import Predictor, held_out, merged

LONG_US = 10.0
FEW, DRAWS = (8, 16, 32), 20
SOME = Target(device="any", fingerprint="0" * 64, backend="any", threads=1, tool="any")
# How names end; all of them with nothing.
FORMATS = ("float32", "dynamic_range", "int8", "")


def of_one_thread(cell: Cell, cpu_us: float | None) -> float | None:
    """CPU time of several threads is their sum, and no latency."""
    return cpu_us if cell.threads == 1 else None


def observation(row: Row, variants: Path) -> Observation | None:
    """What was measured of a row's file; None where nothing was."""
    if not isinstance(row.result, Summary) or row.examination is None:
        return None
    folder = variants / row.cell.variant
    content = verified(folder, read(folder / "variant.json", Variant).model).read_bytes()
    cpu_us = of_one_thread(row.cell, row.result.cpu_us)
    return Observation(
        name=row.cell.variant,
        content=content,
        layers=row.examination.layers,
        latency_us=cpu_us or row.result.latency_us,
    )


def observations(run: Path) -> tuple[Observation, ...]:
    """All files of a run with one target, backend and number of threads."""
    [path] = run.glob("benchmark/*/benchmark.json")
    return tuple(one for row in read(path, Benchmark).rows if (one := observation(row, run / "variants")) is not None)


def by_round(run: Path) -> dict[str, list[float]]:
    """What the processes of each round said of a file."""
    [path] = run.glob("benchmark/*/ledger.jsonl")
    found: dict[str, list[float]] = {}
    for line in read_lines(path):
        if isinstance(line, RunLine) and isinstance(line.outcome, Measured) and line.place == "within":
            latency_us = of_one_thread(line.cell, line.outcome.cpu_us) or line.outcome.steady.typical_us
            found.setdefault(line.cell.variant, []).append(latency_us)
    return found


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


def kernel_errors(found: Sequence[Observation]) -> str:
    """How far kernels that take long beside the profiler's steps are from what the table says without them."""
    entries = merged(CostTable(target=SOME), found).entries
    errors: dict[tuple[str, str], list[float]] = {}
    for number, one in enumerate(entries):
        us = median(one.samples_us)
        if us >= LONG_US:
            guess = Predictor([*entries[:number], *entries[number + 1 :]]).of([one.kernel]).us or 0.0
            errors.setdefault((one.kernel.operator, one.kernel.domain), []).append(abs(guess - us) / us)
    told = [f"{' '.join(kind)} {median(each):.0%} of {len(each)}" for kind, each in sorted(errors.items())]
    return "kernels without themselves: " + ", ".join(told)


def told(found: Sequence[Observation], rounds: dict[str, list[float]]) -> str:
    """The figures of some files."""
    each = held_out(found)
    if each.spearman is None or each.median_error is None:
        return f"{each.n:4} files, too few"
    worths = [("each from the others", (each.spearman, each.median_error))]
    for count in (few for few in FEW if 2 * few <= len(found)):
        draws = [from_few(found, count, seed) for seed in range(DRAWS)]
        worths.append((f"from {count}", (median(one[0] for one in draws), median(one[1] for one in draws))))
    both = [tuple(rounds[one.name][:2]) for one in found if len(rounds.get(one.name, [])) > 1]
    worths.append(("one round from another", worth(*zip(*both, strict=True))))
    return f"{each.n:4} files; " + ", ".join(f"{name} {rank:.3f} {error:.1%}" for name, (rank, error) in worths)


def main(run: Path) -> None:
    """Print the figures."""
    found, rounds = observations(run), by_round(run)
    for form in FORMATS:
        print(f"{form or 'all':14}" + told([one for one in found if one.name.endswith(form)], rounds))
    print(kernel_errors(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
