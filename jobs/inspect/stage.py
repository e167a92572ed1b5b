"""The inspect stage: one or two files to a report of what is in them."""

import hashlib
import os
from pathlib import Path

from common.artifact import MOST_FILE_BYTES
from common.errors import EdgeproofError, UsageError
from common.schema.inspection import FileReport, GivenFile, InspectReport
from common.tflite.delegated import asked
from common.tflite.reader import inspect
from jobs.inspect.compare import compare
from jobs.inspect.outputs import difference


def inspect_files(model: Path, other: Path | None, *, ask: bool = True) -> InspectReport:
    """Read one file, or two and compare them; `ask` has LiteRT load each for what XNNPACK takes.

    Raises UsageError for a path that cannot be read, EdgeproofError naming the file when it is damaged.
    """
    first = _report(model, ask)
    if other is None:
        return InspectReport(files=(first,), comparison=None)
    second = _report(other, ask)
    comparison = compare(first, second)
    if comparison.not_run is None:
        outputs, not_run = difference(model, other)
        comparison = comparison.model_copy(update={"outputs": outputs, "not_run": not_run})
    return InspectReport(files=(first, second), comparison=comparison)


def _report(path: Path, ask: bool) -> FileReport:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is no file", hint="give the path of a .tflite file")
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            message = f"{path} has more than the {MOST_FILE_BYTES >> 20} MiB allowed"
            raise UsageError(message, hint="give the path of a .tflite file")
        content = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="give the path of a .tflite file") from None
    try:
        found = inspect(content)
        found = asked(path, content, found) if ask else found
    except EdgeproofError as error:
        raise EdgeproofError(f"{path}: {error.message}", hint="is it a whole .tflite file?") from None
    return FileReport(
        file=GivenFile(
            path=os.fsencode(path).decode("utf-8", "replace"),
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
        ),
        inputs=found.inputs,
        outputs=found.outputs,
        proof=found.proof,
        operators=found.table,
        tensors=found.tensors,
    )
