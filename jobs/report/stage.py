"""The report stage: finished artifacts, or a results file, to a folder that people open."""

from hashlib import sha256
from pathlib import Path

from common.artifact import content, read, read_hashed, verified, write_bytes, write_model, writing
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.provenance import ROOT, Recorder
from common.run.checks import check_choice, same
from common.run.read import Folders, read_run
from common.schema.choice import Choice
from common.schema.comparison import Comparison
from common.schema.dataset import Dataset
from common.schema.history import History
from common.schema.results import Results
from common.schema.search_result import SearchResult
from jobs.report.collect import collect
from jobs.report.consistency import check_results
from jobs.report.document import CHART_FILES, File
from jobs.report.export import results_csv
from jobs.report.flips import flips
from jobs.report.page import build
from jobs.report.render import page, render
from jobs.report.sections import past, search
from jobs.report.summary import summary_md

ARTIFACT, HISTORY_PAGE = "results.json", "history.html"
PACKAGES = ("jinja2", "markupsafe", "numpy", "pandas", "pillow")
# The beginnings of the pictures that a page can show, and the name of the contact sheet's copy.
SHEETS = {b"\xff\xd8\xff": "contact_sheet.jpg", b"\x89PNG\r\n\x1a\n": "contact_sheet.png"}
# Every picture that a report may have or had in an earlier version; those of an earlier one are removed.
STEMS = ("latency", "accuracy", "training", "sustained")
CHARTS = (
    *(f"{stem}.{ending}" for stem in STEMS for ending in ("png", "svg")),
    *(f"{name}.svg" for name in CHART_FILES),
)


def report(experiment: LoadedExperiment, path: Path, folders: Folders, chosen: Path | None, output: Path) -> Results:
    """Collect the artifacts of an experiment, whose file is `path`, and write `output`; `chosen` is the folder of
    the choice, without which the report claims nothing.

    Raises UsageError when one is missing or was changed, or when they are not of one run.
    """
    recorder = Recorder("report", experiment)
    run = read_run(experiment, folders)
    sheet = None
    if folders.dataset is not None and run.dataset is not None:
        sheet = contact_sheet(verified(folders.dataset, run.dataset.contact_sheet))
    inputs = dict(run.inputs)
    choice = None
    if chosen is not None:
        choice, digest = read_hashed(chosen / "choice.json", Choice)
        check_choice(choice, inputs)
        inputs["choice"] = digest
    flipped = tuple(flips(run, folders, None if choice is None else choice.best))
    results = collect(run, choice, flipped, _shown(path), recorder.finish(inputs, PACKAGES))
    _write(results, sheet, output, *folders.all, *(() if chosen is None else (chosen,)))
    return results


def _shown(path: Path) -> str:
    """The experiment file as a reader of the report would name it."""
    absolute = path.resolve()
    return (absolute.relative_to(ROOT) if absolute.is_relative_to(ROOT) else path).as_posix()


def rerender(source: Path, output: Path, compared: Path | None = None) -> Results:
    """Render an existing results file; the contact sheet is looked for beside it. `compared` is a comparison of it with
    another run, which the report then has in it.

    Raises UsageError when the file is missing, not a results file or contradicts itself, and for a comparison of
    another one.
    """
    results, digest = read_hashed(source, Results)
    comparison = None if compared is None else read(compared, Comparison)
    if comparison is not None:
        same(f"the head (sha256) of {compared}", comparison.head.results_sha256, str(source), digest)
    if source.resolve() == (output / ARTIFACT).resolve():
        raise UsageError(f"{source} is both read and written", hint="choose another --output")
    _write(results, _sheet_beside(source, results.dataset), output, comparison=comparison)
    return results


def contact_sheet(path: Path) -> File | None:
    """The picture under the name that it gets in the report; None when it is none."""
    picture = content(path)
    name = next((name for magic, name in SHEETS.items() if picture.startswith(magic)), None)
    return None if name is None else File(name, picture)


def _sheet_beside(source: Path, card: Dataset | None) -> File | None:
    if card is None:
        return None
    beside = [source.parent / name for name in SHEETS.values()]
    same_size = [p for p in beside if p.is_file() and p.stat().st_size == card.contact_sheet.size_bytes]
    found = next((p for p in same_size if sha256(content(p)).hexdigest() == card.contact_sheet.sha256), None)
    return None if found is None else contact_sheet(found)


def rendered(results: Results, sheet: File | None, comparison: Comparison | None = None) -> tuple[File, ...]:
    """Every file of a report but the results themselves. Raises UsageError for results that contradict themselves."""
    check_results(results)
    told = File("results.csv", results_csv(results)), File("summary.md", summary_md(results))
    return (*render(build(results, sheet, comparison)), *told)


def history_page(source: Path, output: Path) -> Path:
    """Render a history as a page in `output`; gives its path. Raises UsageError for a file that is none."""
    path = output / HISTORY_PAGE
    write_bytes(path, page(past.document(read(source, History))))
    return path


def search_page(source: Path, output: Path) -> Path:
    """Render how a search came to what it found into `output`, the page last; gives its path. The experiment of its
    finalists and their run are looked for beside `source`. Raises UsageError for a file that is none."""
    found = _shown(source.parent / search.FOUND)
    first, *others = render(search.document(read(source, SearchResult), found))
    for file in (*others, first):
        write_bytes(output / file.name, file.content)
    return output / first.name


def _write(
    results: Results, sheet: File | None, output: Path, *inputs: Path, comparison: Comparison | None = None
) -> None:
    files = rendered(results, sheet, comparison)
    with writing(output, ARTIFACT, *inputs):
        for name in (*CHARTS, *SHEETS.values()):
            (output / name).unlink(missing_ok=True)
        for file in files:
            write_bytes(output / file.name, file.content)
        write_model(output / ARTIFACT, results)
