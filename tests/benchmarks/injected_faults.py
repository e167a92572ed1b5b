"""Faults put into the artifacts of a real run at random: none may be recommended or shown as a figure.

    python -m tests.benchmarks.injected_faults [--trials 1000] [--seed 1]

Trains, optimises, evaluates and measures a tiny network on this machine once. Every trial copies the run, puts one
fault into one variant that could be recommended without it, and has the run read, judged, chosen from and collected
for the report by the product's own code. A run that is refused in one line recommends nothing.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

from common.artifact import file_ref, sha256_file
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.provenance import ROOT
from common.run.judge import judge
from common.run.read import Folders, Run, read_run
from common.schema.judgement import Judgement
from common.schema.results import Latency
from jobs.choose.candidates import candidates
from jobs.choose.recommend import Case, Recommendation, recommend
from jobs.evaluate.stage import evaluate
from jobs.report.collect import collect
from jobs.report.export import results_csv
from jobs.report.names import Grid
from tests.artifacts import EXPERIMENT, write_dataset, write_experiment
from tests.unit.report import factories as f

Random = np.random.Generator
IDENTIFIER = b"TFL3"


@dataclass(frozen=True)
class Scene:
    """A copy of a run, the variant that gets the fault, and another one."""

    folders: Folders
    experiment: LoadedExperiment
    victim: str
    other: str
    zeroed: Path

    @property
    def model(self) -> Path:
        """The victim's file."""
        return self.folders.variants / self.victim / f"{self.victim}.tflite"

    @property
    def evaluation(self) -> Path:
        """The victim's evaluation."""
        return self.folders.evaluations / self.victim

    @property
    def benchmark(self) -> Path:
        """The folder of the target that decides."""
        return self.folders.benchmarks[0]


def _edit(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def _edit_rows(scene: Scene, change: Callable[[Any], object]) -> None:
    def rows(content: Any) -> None:
        for row in content["rows"]:
            if row["cell"]["variant"] == scene.victim:
                change(row)

    _edit(scene.benchmark / "benchmark.json", rows)


def fallback(scene: Scene, _: Random) -> None:
    """The backend ran nothing of it."""
    told = {"extent": "none", "kernel": None, "nodes_delegated": None, "nodes_total": None, "partitions": None}
    _edit_rows(scene, lambda row: row["result"].update(delegation=told))


def wrong_outputs(scene: Scene, random: Random) -> None:
    """The device answered otherwise, or with NaN."""
    agreed = {"successes": 1, "total": 8, "value": 0.125, "low": 0.02, "high": 0.5, "confidence": 0.95}
    wrong = str(random.choice(["they are the same for every image", "some are no numbers"]))
    outputs = {"images": 8, "top1_agreement": agreed, "largest_difference": None, "wrong": wrong}
    _edit_rows(scene, lambda row: row.update(examination={"outputs": outputs}))


def _replace_outputs(scene: Scene, outputs: Any) -> None:
    """Other answers, with an evaluation that is consistent with them."""
    np.save(scene.evaluation / "outputs.npy", outputs)
    reference = file_ref(scene.evaluation / "outputs.npy", scene.evaluation).model_dump()
    taken = np.bincount(outputs.argmax(axis=1), minlength=outputs.shape[1])

    def change(content: Any) -> None:
        content["outputs"] = reference
        content["confusion"] = [[int(n) for n in taken], *[[0] * len(taken) for _ in taken[1:]]]

    _edit(scene.evaluation / "evaluation.json", change)


def nan_outputs(scene: Scene, random: Random) -> None:
    """One of the answers is no number, and the hash knows of it."""
    outputs = np.load(scene.evaluation / "outputs.npy")
    outputs[random.integers(len(outputs)), random.integers(outputs.shape[1])] = np.nan
    _replace_outputs(scene, outputs)


def constant_outputs(scene: Scene, random: Random) -> None:
    """The same answer to every image, and the hash knows of it."""
    outputs = np.load(scene.evaluation / "outputs.npy")
    outputs[:] = outputs[random.integers(len(outputs))]
    _replace_outputs(scene, outputs)


def swapped_outputs(scene: Scene, random: Random) -> None:
    """Answers in another order or of another shape than those that were counted."""
    path = scene.evaluation / "outputs.npy"
    outputs = np.load(path)
    np.save(path, outputs[:, ::-1] if random.random() < 0.5 else outputs[:-1])


def missing_outputs(scene: Scene, _: Random) -> None:
    """The answers are gone."""
    (scene.evaluation / "outputs.npy").unlink()


def zeroed_layer(scene: Scene, _: Random) -> None:
    """The heaviest layer became zero when the file was made: everything after it is consistent."""
    for folder in ("variants", "evaluation"):
        shutil.copytree(scene.zeroed / folder / scene.victim, _room(scene, folder), dirs_exist_ok=True)
    digest = sha256_file(scene.model)
    _edit_rows(scene, lambda row: row["cell"].update(model_sha256=digest))
    ledger = scene.benchmark / "ledger.jsonl"
    lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        for cell in (*line.get("cells", ()), *([line["cell"]] if "cell" in line else [])):
            if cell["variant"] == scene.victim:
                cell["model_sha256"] = digest
    ledger.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    reference = file_ref(ledger, scene.benchmark).model_dump()
    _edit(scene.benchmark / "benchmark.json", lambda content: content.update(ledger=reference))


def _room(scene: Scene, folder: str) -> Path:
    return (scene.folders.variants if folder == "variants" else scene.folders.evaluations) / scene.victim


def zeroed_bytes(scene: Scene, random: Random) -> None:
    """A part of the file became zero on the disk."""
    content = bytearray(scene.model.read_bytes())
    start = int(random.integers(8, len(content) - 64))
    content[start : start + 64] = bytes(64) if any(content[start : start + 64]) else b"x" * 64
    scene.model.write_bytes(content)


def swapped_file(scene: Scene, _: Random) -> None:
    """Two variants' files changed places."""
    rival = scene.folders.variants / scene.other / f"{scene.other}.tflite"
    mine, theirs = scene.model.read_bytes(), rival.read_bytes()
    scene.model.write_bytes(theirs)
    rival.write_bytes(mine)


def swapped_evaluation(scene: Scene, _: Random) -> None:
    """The evaluation is another variant's."""
    shutil.copytree(scene.folders.evaluations / scene.other, scene.evaluation, dirs_exist_ok=True)


def swapped_row(scene: Scene, _: Random) -> None:
    """The benchmark measured another file."""
    _edit_rows(scene, lambda row: row["cell"].update(model_sha256=f.OTHER_SHA))


def truncated_ledger(scene: Scene, random: Random) -> None:
    """The ledger ends early."""
    path = scene.benchmark / "ledger.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[: int(random.integers(0, len(content)))])


def thinned_ledger(scene: Scene, _: Random) -> None:
    """The ledger lost the variant's processes, and the hash knows of it."""
    path = scene.benchmark / "ledger.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line).get("cell", {}).get("variant") != scene.victim]
    path.write_text("".join(kept), encoding="utf-8")
    reference = file_ref(path, scene.benchmark).model_dump()
    _edit(scene.benchmark / "benchmark.json", lambda content: content.update(ledger=reference))


def invented_latency(scene: Scene, random: Random) -> None:
    """The row's latency is none that its processes had."""
    factor = float(random.choice([0.01, 0.1]))
    _edit_rows(scene, lambda row: row["result"].update(latency_us=row["result"]["latency_us"] * factor))


def failing_processes(scene: Scene, random: Random) -> None:
    """More of its processes failed than not."""
    _edit_rows(scene, lambda row: row.update(failed_rounds=int(random.integers(9, 30))))


def failed_cell(scene: Scene, random: Random) -> None:
    """It failed, or cannot run."""
    words = {"kind": "failed", "reason": "killed by SIGSEGV", "log": None}
    if random.random() < 0.5:
        words = {"kind": "unsupported", "reason": "no such operator"}
    _edit_rows(scene, lambda row: row.update(result=words))


def broken_promise(scene: Scene, _: Random) -> None:
    """A promise that is not kept."""
    broken = {"claim": "type", "subject": "a", "expected": "int8", "observed": "float32", "kept": False}
    _edit(scene.model.parent / "variant.json", lambda content: content["promises"].append({**broken, "waived": None}))


def damaged_json(scene: Scene, random: Random) -> None:
    """One of its JSON files ends early."""
    choices = (scene.evaluation / "evaluation.json", scene.model.parent / "variant.json")
    path = choices[int(random.integers(len(choices)))]
    content = path.read_bytes()
    path.write_bytes(content[: int(random.integers(0, len(content) - 2))])


# Those of a cell, whose latency must not be shown either.
OF_A_CELL = (fallback, wrong_outputs, failing_processes, failed_cell)
FAULTS: tuple[Callable[[Scene, Random], None], ...] = (
    *OF_A_CELL,
    *(nan_outputs, constant_outputs, swapped_outputs, missing_outputs, zeroed_layer, zeroed_bytes),
    *(swapped_file, swapped_evaluation, swapped_row, truncated_ledger, thinned_ledger, invented_latency),
    *(broken_promise, damaged_json),
)


@contextmanager
def copied(folders: Folders) -> Iterator[Folders]:
    """A copy of all that a fault may change."""
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        made = replace(
            folders,
            variants=shutil.copytree(folders.variants, room / "variants"),
            evaluations=shutil.copytree(folders.evaluations, room / "evaluation"),
            benchmarks=(shutil.copytree(folders.benchmarks[0], room / "benchmark"),),
        )
        yield made


def decided(experiment: LoadedExperiment, folders: Folders) -> tuple[Run, Judgement, Recommendation]:
    """The run read, judged and chosen from. Raises EdgeproofError where it is refused."""
    run = read_run(experiment, folders)
    judgement = judge(run.evidence)
    settings = experiment.settings
    chosen = recommend(Case(candidates(run, judgement), settings.reference, settings.choose, judgement))
    return run, judgement, chosen


def victims(experiment: LoadedExperiment, folders: Folders) -> tuple[str, ...]:
    """Variants that may be recommended as they are: only those can show that a fault is seen."""
    _, judgement, _ = decided(experiment, folders)
    return tuple(v.variant for v in judgement.variants if v.eligible and v.variant != experiment.settings.reference)


def problems(fault: Callable[[Scene, Random], None], scene: Scene, random: Random) -> list[str] | None:
    """What is claimed of the victim in spite of the fault; None where the run was refused."""
    fault(scene, random)
    try:
        run, judgement, chosen = decided(scene.experiment, scene.folders)
    except EdgeproofError:
        return None
    found = []
    if scene.victim in (chosen.best, chosen.smallest, chosen.fastest):
        found.append("recommended")
    if judgement.of(scene.victim).eligible:
        found.append("eligible")
    # Plain kernels are what the CPU backend asks for: there it is no fallback, and what is said of it is true.
    sound = {"cpu"} if fault is fallback else set()
    if any(gain.best == scene.victim and gain.setting.backend not in sound for gain in judgement.gains):
        found.append("called the fastest")
    if fault in OF_A_CELL:
        choice = f.choice().model_copy(update={"judgement": judgement})
        results = collect(run, choice, (), "e.toml", f.provenance("report"))
        grid = Grid(results)
        faulty = [setting for setting in grid.settings if setting.backend not in sound]
        shown = [grid.result(scene.victim, setting) for setting in faulty]
        found += ["shown as a figure"] if any(isinstance(result, Latency) for result in shown) else []
        lines = [line.split(",") for line in results_csv(results).decode().splitlines()]
        rows = [cells for cells in lines if cells[0] == scene.victim and cells[3] in {s.backend for s in faulty}]
        found += ["measured in the csv"] if any("measured" in cells for cells in rows) or not rows else []
    return found


def _set_model(reference: dict[str, object], content: Any) -> None:
    content["model"] = reference


def zeroed_copies(experiment: LoadedExperiment, folders: Folders, names: Sequence[str], room: Path) -> Path:
    """For every variant its file with the largest constant set to zero, and the evaluation of that file."""
    for name in names:
        made = shutil.copytree(folders.variants / name, room / "variants" / name)
        path = made / f"{name}.tflite"
        model = schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
        largest = max(model.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
        largest.data = np.zeros_like(largest.data)
        builder = Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
        path.write_bytes(bytes(builder.Output()))
        _edit(made / "variant.json", partial(_set_model, file_ref(path, made).model_dump()))
        own = folders.evaluations / experiment.settings.reference
        assert folders.dataset is not None
        evaluate(experiment, made, folders.dataset, own, room / "evaluation" / name)
    return room


def trials(
    experiment: LoadedExperiment, folders: Folders, room: Path, count: int, seed: int
) -> Iterator[tuple[str, list[str] | None]]:
    """The fault and what `problems` says, of `count` trials: every fault in turn, the rest drawn."""
    random = np.random.default_rng(seed)
    names = victims(experiment, folders)
    assert names, "no variant could be recommended without a fault"
    zeroed = zeroed_copies(experiment, folders, names, room)
    others = tuple(experiment.settings.variants)
    for number in range(count):
        fault = FAULTS[number % len(FAULTS)]
        victim = str(random.choice(names))
        other = str(random.choice([name for name in others if name != victim]))
        with copied(folders) as own:
            yield fault.__name__, problems(fault, Scene(own, experiment, victim, other, zeroed), random)


def small_run(folder: Path) -> tuple[LoadedExperiment, Folders]:
    """A tiny network, trained, optimised, evaluated and measured for real."""
    from jobs.optimize.stage import optimize
    from jobs.train.stage import train

    kept = EXPERIMENT.split("[variants.int8]", maxsplit=1)[0].replace("epochs = 2", "epochs = 8")
    experiment = write_experiment(folder, kept.replace("rounds = 2", "rounds = 3"))
    write_dataset(folder / "dataset", experiment, 256, 64, 400)
    train(experiment, folder / "dataset", folder / "train")
    for name in experiment.settings.variants:
        optimize(experiment, name, folder / "dataset", folder / "train", folder / "variants" / name)
        own = None if name == experiment.settings.reference else folder / "evaluation" / experiment.settings.reference
        evaluate(experiment, folder / "variants" / name, folder / "dataset", own, folder / "evaluation" / name)
    argv = [sys.executable, "-m", "jobs.benchmark", "--experiment", str(folder / "tiny.toml")]
    argv += ["--variants", str(folder / "variants"), "--devices", "host", "--output", str(folder / "benchmark")]
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    dataset, trained, made, looked = (folder / part for part in ("dataset", "train", "variants", "evaluation"))
    return experiment, Folders(dataset, trained, made, looked, (folder / "benchmark" / "host",))


def main() -> None:
    """Print how often each fault was refused, seen, and missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        experiment, folders = small_run(Path(scratch))
        tally: Counter[tuple[str, str]] = Counter()
        for name, found in trials(experiment, folders, Path(scratch) / "zeroed", arguments.trials, arguments.seed):
            tally[name, "refused" if found is None else ", ".join(found) or "not eligible"] += 1
    for (name, outcome), times in sorted(tally.items()):
        print(f"{name:20} {outcome:40} {times}")


if __name__ == "__main__":
    main()
