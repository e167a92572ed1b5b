"""Which of its two tasks the command line asks for. Pure."""

from collections.abc import Sequence
from pathlib import Path

from common.errors import UsageError
from common.run.read import Folders


def experiment_folders(
    dataset: Path | None,
    training: Path | None,
    variants: Path | None,
    evaluations: Path | None,
    benchmarks: Sequence[Path],
) -> Folders:
    """The folders of a run. Raises UsageError naming the options that are missing."""
    options = {"dataset": dataset, "training": training, "variants": variants, "evaluations": evaluations}
    absent = [f"--{name}" for name, folder in options.items() if folder is None]
    absent += [] if benchmarks else ["--benchmark"]
    if dataset is None or training is None or variants is None or evaluations is None or not benchmarks:
        raise UsageError(f"{', '.join(absent)} missing", hint="--experiment needs the folder of every stage")
    return Folders(dataset, training, variants, evaluations, tuple(benchmarks))


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
