"""The compare stage: two finished runs to what changed, and, where budgets are checked, whether they are kept."""

from dataclasses import replace
from pathlib import Path

from common.artifact import no_link, read, read_hashed, verified, write_bytes, write_model, writing
from common.errors import NotComparableError, UsageError
from common.provenance import VERSION
from common.run.between import Case, between
from common.run.gate import NO_BASE, default, gate, overall
from common.run.layout import run_folder
from common.run.past import further
from common.run.rerun import BASE, HEAD, interleaved
from common.run.rerun import files as rerun_files
from common.run.setup import Side
from common.schema.budget import Check
from common.schema.comparison import Comparison, FromHistory
from common.schema.history import History
from common.schema.results import Results
from common.schema.variant import Variant
from jobs.compare import told
from jobs.compare.budgets import load
from jobs.compare.page import markdown
from jobs.compare.read import paired, results_file, side

COMPARISON, CHECK, HISTORY = "compare.json", "check.json", "history.json"
SUFFIX = ".tflite"
LINK = "remove it: only the run's own folder is written"
# Of a variant, in an experiment.
LONGEST_NAME = 64


def compare(
    base: Path, head: Path, rerun: Path | None, output: Path | None, *, history: Path | None = None
) -> tuple[Comparison, Path]:
    """Compare the runs at `base` and `head`, write what changed, and say where; `rerun` is the run in which the files
    of both were measured in turns, `history` the file or folder of a history whose sessions count for the spread.

    Raises UsageError for what is no run or was changed, NotComparableError where the runs have nothing in common.
    """
    files = results_file(base), results_file(head)
    comparison = _compared(side(files[0]), side(files[1]), files, rerun, history)
    folder = _output(output, files[1], "compare")
    with writing(folder, COMPARISON, *_reports(*files)):
        write_bytes(folder / "compare.md", markdown(comparison))
        write_model(folder / COMPARISON, comparison)
    return comparison, folder


def check(
    base: Path | None,
    head: Path,
    rerun: Path | None,
    budgets: Path | None,
    output: Path | None,
    *,
    history: Path | None = None,
) -> tuple[Check, Path]:
    """Hold a run against its budgets, and write the verdicts, also as JUnit XML and as a summary.

    Without a base, and with one that has nothing in common with the head, limits that need one cannot be said. Raises
    UsageError as `compare` does.
    """
    files = results_file(base or head), results_file(head)
    now = side(files[1])
    before, lacking = (side(files[0]), "") if base else (now, NO_BASE)
    try:
        comparison = _compared(before, now, files, rerun, history)
    except NotComparableError as error:
        lacking = error.message
        comparison = _compared(now, now, (files[1], files[1]), None, None)
    loaded = None if budgets is None else load(budgets)
    asked = default(comparison) if loaded is None else loaded.budgets.budget
    checked = tuple(gate(comparison, None if lacking else before.results, now.results, asked, lacking))
    found = Check(
        version=VERSION,
        experiment=comparison.head.experiment,
        base_sha256=before.sha256,
        head_sha256=now.sha256,
        budgets_sha256=None if loaded is None else loaded.sha256,
        status=overall(checked),
        checked=checked,
    )
    folder = _output(output, files[1], "check")
    with writing(folder, CHECK, *_reports(*files)):
        write_bytes(folder / "compare.md", markdown(comparison))
        write_bytes(folder / "junit.xml", told.junit(found))
        write_bytes(folder / "summary.md", told.summary(found, comparison))
        write_model(folder / COMPARISON, comparison)
        write_model(folder / CHECK, found)
    return found, folder


def gather(base: Path, head: Path, output: Path) -> str:
    """Write the files to be measured in turns into `output`, and give the name of the one that all are compared with;
    nothing where no file differs.

    Raises UsageError where the files are not at hand.
    """
    for written in (output, output.parent):
        no_link(written, LINK)
    paths = results_file(base), results_file(head)
    case = Case(side(paths[0]), side(paths[1]), VERSION)
    wanted = rerun_files(case)
    if not wanted[HEAD]:
        return ""
    for old in (*output.glob(f"{BASE}*{SUFFIX}"), *output.glob(f"{HEAD}*{SUFFIX}")):
        old.unlink()
    for path, prefix in zip(paths, (BASE, HEAD), strict=True):
        folder = run_folder(path)
        if folder is None:
            raise UsageError(f"{path} stands in no run's folder", hint="RERUN needs the runs' files")
        for name in wanted[prefix]:
            _copy(folder / "variants" / name, output / f"{prefix}{name}{SUFFIX}", case, prefix, name)
    return f"{BASE}{wanted[BASE][0]}"


def _copy(made: Path, path: Path, case: Case, prefix: str, name: str) -> None:
    """Raises UsageError for a name that gets too long, and for a file that is none of the run's report."""
    if len(path.name) - len(SUFFIX) > LONGEST_NAME:
        raise UsageError(f"the name of variant {name} is too long to get {prefix} in front", hint="rename it")
    variant = read(made / "variant.json", Variant)
    known = (case.base if prefix == BASE else case.head).hashes.get(name)
    if known not in (None, variant.model.sha256):
        raise UsageError(f"{made} was made again after the report", hint="run make report")
    write_bytes(path, verified(made, variant.model).read_bytes())


def _compared(
    before: Side, now: Side, files: tuple[Path, Path], rerun: Path | None, history: Path | None
) -> Comparison:
    case = Case(before, now, VERSION, dict(paired(before, now, *files)))
    if rerun is not None:
        # One session has no spread between sessions, so that nothing else is needed.
        return interleaved(case, read(results_file(rerun), Results))
    if history is None:
        return between(case)
    past, digest = read_hashed(
        history / HISTORY if history.is_dir() else history, History, hint="make history writes one: docs/history.md"
    )
    sessions = tuple(further(past, before, now))
    found = between(replace(case, head=replace(now, sessions=(*now.sessions, *sessions))))
    told = FromHistory(sha256=digest, sessions=len(sessions))
    return found.model_copy(update={"history": told})


def _reports(*files: Path) -> tuple[Path, ...]:
    """The reports' folders, which are only read; a file that stands alone is in nobody's folder."""
    return tuple(file.parent for file in files if run_folder(file) is not None)


def _output(given: Path | None, head: Path, name: str) -> Path:
    """Where to write: beside the head's report, unless a folder is given."""
    run = run_folder(head)
    if given is None and run is None:
        raise UsageError(f"{head} stands in no run's folder", hint="name the folder to write with --output")
    return given or no_link(Path(run or "") / name, LINK)
