"""Where the artifacts of a run lie in its folder, as make writes them and a bundle holds them."""

from collections.abc import Sequence
from pathlib import Path

from common.artifact import read
from common.errors import UsageError
from common.run.checks import MAKE_AGAIN
from common.run.read import BENCHMARK, Folders
from common.schema.benchmark import Benchmark
from common.schema.experiment import Experiment
from common.schema.results import Results

RESULTS, CHOICE = "report/results.json", "best/choice.json"


def run_folder(file: Path) -> Path | None:
    """The folder of the run whose results file this is; None for one that stands alone."""
    folder = file.absolute().parent
    return folder.parent if folder.name == Path(RESULTS).parent.name else None


def run_folders(run: Path, settings: Experiment, targets: Sequence[str]) -> Folders:
    """The folders of the stages; of the benchmarks those of these targets, in their order.

    Raises UsageError where a target has none.
    """
    return Folders(
        dataset=run / "dataset" if settings.has_images else None,
        training=run / "train" if settings.recipes else None,
        variants=run / "variants",
        evaluations=run / "evaluation",
        benchmarks=tuple(benchmark for _, benchmark in benchmarks(run, targets)),
        samples=None if settings.has_images else run / "inputs",
    )


def benchmarks(run: Path, targets: Sequence[str]) -> list[tuple[Benchmark, Path]]:
    """The benchmark of each target with its folder. Others may lie beside them: a device that was measured before."""
    found: dict[str, tuple[Benchmark, Path]] = {}
    for path in sorted((run / "benchmark").glob(f"*/{BENCHMARK}")):
        benchmark = read(path, Benchmark)
        found.setdefault(benchmark.target.name, (benchmark, path.parent))
    for name in targets:
        if name not in found:
            raise UsageError(f"{run / 'benchmark'} holds no benchmark of {name}", hint=MAKE_AGAIN)
    return [found[name] for name in targets]


def targets_of(results: Results) -> list[str]:
    """The names of the targets that a report is of."""
    return [target.name for target in results.targets]
