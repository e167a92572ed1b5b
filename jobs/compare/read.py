"""A run to compare: its results file, and what else of it is at hand."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from common.arrays import load
from common.artifact import read_hashed, verified
from common.errors import UsageError
from common.ledger import read_lines
from common.run.keeping import PairedTest, tested
from common.run.layout import RESULTS, run_folder
from common.run.qualities import same_images
from common.run.setup import Side
from common.run.spread import Session, of_ledger, of_traces
from common.schema.benchmark import Benchmark
from common.schema.evaluation import Evaluation
from common.schema.power import StateLine
from common.schema.results import Results

Right = npt.NDArray[np.bool_]


def results_file(given: Path) -> Path:
    """The results file that a run's folder, a report's folder or the path of the file itself stands for.

    Raises UsageError where there is none.
    """
    if given.is_dir():
        found = next((path for path in (given / RESULTS, given / Path(RESULTS).name) if path.is_file()), None)
        if found is None:
            raise UsageError(f"{given} holds no report", hint="run make report, or name a results.json")
        return found
    if not given.exists():
        raise UsageError(f"{given} does not exist", hint="name the folder of a run, or a results.json")
    return given


def side(file: Path) -> Side:
    """The run, with all sessions of its ledgers where they are at hand.

    Raises UsageError for what is damaged, and for a benchmark that is none of this report's.
    """
    results, digest = read_hashed(file, Results)
    folder = run_folder(file)
    settings: dict[str, dict[str, str]] = {}
    sessions: list[Session] = []
    celsius: dict[str, float] = {}
    for path in () if folder is None else sorted(folder.glob("benchmark/*/benchmark.json")):
        benchmark = _benchmark(path, results)
        if benchmark is None:
            continue
        name = benchmark.target.name
        settings[name] = {key: str(value) for key, value in benchmark.settings.model_dump(mode="json").items()}
        lines = tuple(read_lines(verified(path.parent, benchmark.ledger)))
        sessions += of_ledger(name, benchmark.reference, lines)
        states = (line.state.celsius for line in lines if isinstance(line, StateLine))
        if warm := [degrees for degrees in states if degrees is not None]:
            celsius[name] = median(warm)
    bare = Side(results, digest)
    lacking = [trace for trace in results.traces if trace.target not in settings]
    sessions += of_traces(lacking, bare.hashes, digest, results.reference)
    return Side(results, digest, settings, tuple(sessions), bool(settings), celsius)


def _benchmark(path: Path, results: Results) -> Benchmark | None:
    """The benchmark of a target of these results; None for one that an earlier run left."""
    benchmark, digest = read_hashed(path, Benchmark)
    role = f"benchmark {benchmark.target.name}"
    known = [item.sha256 for manifest in results.provenance for item in manifest.inputs if item.role == role]
    if not known:
        return None
    if digest not in known:
        raise UsageError(f"{path} is none that the report was made from", hint="run make report")
    return benchmark


def paired(base: Side, head: Side, base_file: Path, head_file: Path) -> Iterator[tuple[str, PairedTest]]:
    """Which images only one of two got right, by variant, where both answered the same ones and all arrays are there.

    Raises UsageError for arrays that were changed.
    """
    folders = [run_folder(file) for file in (base_file, head_file)]
    card = head.results.dataset
    if card is None or None in folders or same_images(base, head):
        return
    split = dict(card.splits)[card.reported]
    labels_file = Path(folders[1] or "") / "dataset"
    if not (labels_file / split.labels.path).is_file():
        return
    labels = np.array(load(labels_file, split.labels, np.int32, (split.count,)))
    before = {evaluation.variant: evaluation for evaluation in base.results.evaluations}
    # Their names are plain, which those in evaluations need not be.
    known = {variant.name for variant in head.results.variants}
    for now in head.results.evaluations:
        old = before.get(now.variant)
        if now.variant not in known or old is None or old.count != now.count or old.count != split.count:
            continue
        right = [_right(Path(f or ""), e, labels) for f, e in zip(folders, (old, now), strict=True)]
        if right[0] is not None and right[1] is not None:
            yield now.variant, _test(right[0], right[1])


def _right(folder: Path, evaluation: Evaluation, labels: npt.NDArray[np.int32]) -> Right | None:
    """Whether each image was answered right; None where the answers are not there."""
    place = folder / "evaluation" / evaluation.variant
    if not (place / evaluation.outputs.path).is_file():
        return None
    outputs = load(place, evaluation.outputs, np.float32, (evaluation.count, len(evaluation.classes)))
    right: Right = outputs.argmax(axis=1) == labels
    return right


def _test(base: Right, head: Right) -> PairedTest:
    return tested(int((base & ~head).sum()), int((head & ~base).sum()), len(base))
