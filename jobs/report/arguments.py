"""Which of its two tasks the command line asks for. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from common.errors import UsageError
from common.run.read import Folders


def experiment_folders(folders: Mapping[str, Path | None], benchmarks: Sequence[Path]) -> Folders:
    """The folders of a run, by the names of their options. Raises UsageError naming those that are missing."""
    variants, evaluations = folders["variants"], folders["evaluations"]
    absent = [f"--{name}" for name in ("variants", "evaluations") if folders[name] is None]
    asked = folders["dataset"], folders["samples"]
    absent += ["--dataset or --samples"] if asked == (None, None) else []
    absent += [] if benchmarks else ["--benchmark"]
    if variants is None or evaluations is None or absent:
        raise UsageError(f"{', '.join(absent)} missing", hint="--experiment needs the folder of every stage")
    return Folders(
        folders["dataset"], folders["training"], variants, evaluations, tuple(benchmarks), folders["samples"]
    )


def require_one(options: Sequence[tuple[str, bool]], folders_given: bool) -> None:
    """Raise UsageError unless one of the tasks is asked for, and stage folders only with --experiment."""
    given = [name for name, present in options if present]
    if len(given) != 1:
        names = ", ".join(name for name, _ in options)
        found = f"{' and '.join(given)} exclude each other" if given else "nothing to report"
        raise UsageError(found, hint=f"give one of {names}")
    if folders_given and given != ["--experiment"]:
        raise UsageError(f"{given[0]} takes no folders of stages", hint="leave them out, or give --experiment")


def required(name: str, folder: Path | None) -> Path:
    """The folder that option `name` gave. Raises UsageError without one."""
    if folder is None:
        raise UsageError(f"{name} is missing", hint="name the folder to write")
    return folder
