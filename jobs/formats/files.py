"""What of a run's folder goes into a store: plain files of its own, and the model that the results speak of."""

from dataclasses import dataclass
from pathlib import Path

from common.artifact import read, read_hashed, verified
from common.errors import NotComparableError, UsageError
from common.run.layout import RESULTS
from common.run.read import VARIANT
from common.schema.results import Results
from common.schema.variant import Variant
from jobs.formats.runs import Record


@dataclass(frozen=True)
class Packed:
    """A variant's file and what is known of it."""

    path: Path
    variant: Variant


def check_run(run: Path, digest: str) -> None:
    """Raise NotComparableError where a folder holds other results than those of this hash, or UsageError for none."""
    _, own = read_hashed(run / RESULTS, Results)
    if own != digest:
        raise NotComparableError(
            f"{run} holds other results: {run / RESULTS} has sha256 {own[:12]}, what is exported {digest[:12]}",
            hint="give the --run that the results were made in, or none",
        )


def files(run: Path, record: Record) -> list[Path]:
    """The artifacts of a record that are there. Raises UsageError for one that leads out of the folder: a run may be
    somebody else's, and the store too."""
    found = []
    for name in record.files:
        path = run / name
        if not path.is_file():
            continue
        if not path.resolve().is_relative_to(run.resolve()):
            raise UsageError(f"{path} leads out of {run}", hint="put the file itself there, not a link")
        found.append(path)
    return found


def model(run: Path, record: Record) -> Packed | None:
    """The file of a record's variant; None for a record without one. Raises UsageError when it is missing or changed,
    NotComparableError when it is not the file that the results are of."""
    if record.model is None:
        return None
    folder = run / "variants" / record.model
    variant = read(folder / VARIANT, Variant)
    known = dict(record.params).get("model_sha256", variant.model.sha256)
    if variant.model.sha256 != known:
        raise NotComparableError(
            f"{folder / VARIANT} has the file {variant.model.sha256[:12]}, the results are of {known[:12]}",
            hint="run make again, or give no --run",
        )
    return Packed(verified(folder, variant.model), variant)
