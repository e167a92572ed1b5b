"""The report stage: finished artifacts, or a results file, to a folder that people open."""

from pathlib import Path

from common.artifact import read, sha256_file, verified, write_bytes, write_model, writing
from common.dataset import CARD, read_card
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.provenance import ROOT, Recorder
from common.schema.benchmark import Benchmark
from common.schema.choice import Choice
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.results import Results
from common.schema.training import Training
from common.schema.variant import Variant
from jobs.report.arguments import Folders
from jobs.report.checks import check_choice, check_results
from jobs.report.collect import Artifacts, collect
from jobs.report.document import File
from jobs.report.export import results_csv
from jobs.report.page import build
from jobs.report.render import render

ARTIFACT = "results.json"
PACKAGES = ("altair", "jinja2", "markupsafe", "numpy", "pandas", "vl-convert-python")
# The beginnings of the pictures that a page can show, and the name of the contact sheet's copy.
SHEETS = {b"\xff\xd8\xff": "contact_sheet.jpg", b"\x89PNG\r\n\x1a\n": "contact_sheet.png"}
# Every picture that a report may have; those of an earlier one are removed.
CHARTS = tuple(f"{stem}.{ending}" for stem in ("latency", "accuracy", "training") for ending in ("png", "svg"))


def report(experiment: LoadedExperiment, path: Path, folders: Folders, output: Path) -> Results:
    """Collect the artifacts of an experiment, whose file is `path`, and write `output`.

    Raises UsageError when one is missing or was changed, or when they are not of one run.
    """
    recorder = Recorder("report", experiment)
    given = _read(experiment, path, folders)
    sheet = _sheet(verified(folders.dataset, given.dataset.contact_sheet))
    inputs = {"dataset": given.dataset_sha256, "training": given.training_sha256}
    for name in experiment.settings.variants:
        inputs[f"variant {name}"] = sha256_file(folders.variants / name / "variant.json")
        inputs[f"evaluation {name}"] = sha256_file(folders.evaluations / name / "evaluation.json")
    for folder, benchmark in zip(folders.benchmarks, given.benchmarks, strict=True):
        inputs[f"benchmark {benchmark.target.name}"] = sha256_file(folder / "benchmark.json")
    if folders.choice is not None and given.choice is not None:
        check_choice(given.choice, inputs)
        inputs["choice"] = sha256_file(folders.choice / "choice.json")
    results = collect(given, recorder.finish(inputs, PACKAGES))
    read_from = (folders.dataset, folders.training, folders.variants, folders.evaluations, *folders.benchmarks)
    _write(results, sheet, output, *read_from)
    return results


def rerender(source: Path, output: Path) -> Results:
    """Render an existing results file; the contact sheet is looked for beside it.

    Raises UsageError when the file is missing, not a results file or contradicts itself.
    """
    results = read(source, Results)
    if source.resolve() == (output / ARTIFACT).resolve():
        raise UsageError(f"{source} is both read and written", hint="choose another --output")
    _write(results, _sheet_beside(source, results.dataset), output)
    return results


def _read(experiment: LoadedExperiment, path: Path, folders: Folders) -> Artifacts:
    names = tuple(experiment.settings.variants)
    dataset = read_card(folders.dataset)
    training = read(folders.training / "training.json", Training)
    variants = tuple(read(folders.variants / name / "variant.json", Variant) for name in names)
    for name, variant in zip(names, variants, strict=True):
        verified(folders.variants / name, variant.model)
    absolute = path.resolve()
    return Artifacts(
        experiment=experiment,
        experiment_path=(absolute.relative_to(ROOT) if absolute.is_relative_to(ROOT) else path).as_posix(),
        dataset=dataset,
        dataset_sha256=sha256_file(folders.dataset / CARD),
        training=training,
        training_sha256=sha256_file(folders.training / "training.json"),
        variants=variants,
        evaluations=tuple(read(folders.evaluations / name / "evaluation.json", Evaluation) for name in names),
        benchmarks=tuple(read(folder / "benchmark.json", Benchmark) for folder in folders.benchmarks),
        choice=None if folders.choice is None else read(folders.choice / "choice.json", Choice),
    )


def _sheet(path: Path) -> File | None:
    """The picture under the name that it gets in the report; None when it is none."""
    content = path.read_bytes()
    name = next((name for magic, name in SHEETS.items() if content.startswith(magic)), None)
    return None if name is None else File(name, content)


def _sheet_beside(source: Path, card: Dataset | None) -> File | None:
    if card is None:
        return None
    beside = [source.parent / name for name in SHEETS.values()]
    found = next((p for p in beside if p.is_file() and sha256_file(p) == card.contact_sheet.sha256), None)
    return None if found is None else _sheet(found)


def _write(results: Results, sheet: File | None, output: Path, *inputs: Path) -> None:
    check_results(results)
    files = (*render(build(results, sheet)), File("results.csv", results_csv(results)))
    with writing(output, ARTIFACT, *inputs):
        for name in (*CHARTS, *SHEETS.values()):
            (output / name).unlink(missing_ok=True)
        for file in files:
            write_bytes(output / file.name, file.content)
        write_model(output / ARTIFACT, results)
