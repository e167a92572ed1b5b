"""The inspect stage: one or two files to a report of what is in them."""

import hashlib
import os
from pathlib import Path

from common.artifact import MOST_FILE_BYTES
from common.errors import EdgeproofError, UsageError
from common.schema.inspection import Comparison, FileReport, GivenFile, InspectReport
from common.tflite.delegated import asked
from common.tflite.kinds import WHOLE
from common.tflite.opened import Content, opened, pieces
from common.tflite.reader import inspect

GIVE = "give the path of a .tflite file"


def inspect_files(model: Path, other: Path | None, *, ask: bool = True) -> InspectReport:
    """Read one file, or two and compare them; `ask` has LiteRT load each for what XNNPACK takes.

    Raises UsageError for a path that cannot be read, EdgeproofError naming the file when it is damaged.
    """
    first, content = _report(model, ask)
    if other is None:
        return InspectReport(files=(first,), comparison=None)
    # What only two files need is loaded for two files.
    from jobs.inspect.compare import compare

    second, others = _report(other, ask)
    comparison = _outputs(compare(first, second), ((model, first, content), (other, second, others)))
    return InspectReport(files=(first, second), comparison=comparison)


def _outputs(found: Comparison, files: tuple[tuple[Path, FileReport, Content], ...]) -> Comparison:
    """The comparison with that of the answers, or why there is none."""
    from jobs.inspect.outputs import difference
    from jobs.inspect.pairing import obstacle, paired, side

    (model, first, content), (other, second, others) = files
    reason = obstacle(first, second)
    if reason is not None:
        return found.model_copy(update={"not_run": reason})
    ports = paired(side(first, content), side(second, others))
    if isinstance(ports, str):
        return found.model_copy(update={"not_run": ports})
    outputs, not_run = difference(model, other, ports, first.outputs)
    return found.model_copy(update={"outputs": outputs, "not_run": not_run})


def _report(path: Path, ask: bool) -> tuple[FileReport, Content]:
    content = _opened(path)
    try:
        found = inspect(content)
        found = asked(path, content, found) if ask else found
    except EdgeproofError as error:
        raise EdgeproofError(f"{path}: {error.message}", hint=error.hint or WHOLE) from None
    digest = hashlib.sha256()
    for piece in pieces(content):
        digest.update(piece)
    report = FileReport(
        file=GivenFile(
            path=os.fsencode(path).decode("utf-8", "replace"),
            sha256=digest.hexdigest(),
            size_bytes=len(content),
        ),
        inputs=found.inputs,
        outputs=found.outputs,
        proof=found.proof,
        operators=found.table,
        tensors=found.tensors,
        subgraphs=found.subgraphs,
        signatures=found.signatures,
    )
    return report, content


def _opened(path: Path) -> Content:
    if (path / "saved_model.pb").is_file():
        raise UsageError(f"{path} is a SavedModel", hint="convert it first: docs/ways-in.md")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is no file", hint=GIVE)
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise UsageError(f"{path} has more than the {MOST_FILE_BYTES >> 20} MiB allowed", hint=GIVE)
        return opened(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint=GIVE) from None
