"""How a screening of two short rounds ranks structures, beside a whole measurement of the same files.

    python -m tests.benchmarks.screening_rank <run>/search <folder> [--budget 10m]

Takes the files of every candidate that a search screened, and measures them as `make all MODELS=` does. Prints the rank
correlation (Spearman) of the latencies, as shares of the reference's, and the median of their distance.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from scipy.stats import spearmanr

from common.artifact import read
from common.numbers import percent
from common.provenance import ROOT
from common.schema.benchmark import Benchmark
from common.schema.search_result import SearchResult
from jobs.search.measured import time
from jobs.search.runs import Where


def gathered(search: Path, result: SearchResult, folder: Path) -> list[str]:
    """The names of the candidates whose files are now in the folder, the reference's first."""
    folder.mkdir(parents=True, exist_ok=True)
    first = result.steps[0].name
    steps = [step.name for step in result.steps if not step.name.startswith("trained")]
    wanted = {result.reference: first} | {
        name: step.name for step in result.steps for name in step.candidates if step.name in steps
    }
    found = []
    for name, step in wanted.items():
        path = search / step / "variants" / name / f"{name}.tflite"
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
            found.append(name)
    return found


def main() -> int:
    """Exit status 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("search", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--budget", default="10m")
    given = parser.parse_args()
    result = read(given.search / "search.json", SearchResult)
    files, run = given.folder / "files", given.folder / "run"
    names = gathered(given.search, result, files)
    models = f"MODELS={files.resolve() / names[0]}.tflite {files.resolve()}"
    argv = ["make", "benchmark", models, f"RUN={run.resolve()}", f"BUDGET={given.budget}", "RUNTIME=local"]
    subprocess.run(argv, cwd=ROOT, env=os.environ, check=True)
    whole = read(run / "benchmark" / "host" / "benchmark.json", Benchmark)
    where = Where(result.setting.backend, result.setting.threads)
    screened = {one.candidate.name: one.screened.time for one in result.outcomes if one.screened is not None}
    pairs = [
        (short, full)
        for name in names[1:]
        if (short := screened.get(name)) is not None and (full := time(whole, name, where)) is not None
    ]
    rank = spearmanr([short for short, _ in pairs], [full for _, full in pairs]).statistic
    off = median(abs(a / b - 1) for a, b in pairs)
    print(f"{len(pairs)} candidates: Spearman {rank:.3f}, {percent(off)} off in the median")
    return 0


if __name__ == "__main__":
    sys.exit(main())
