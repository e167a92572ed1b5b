"""The plan in a run's folder: compared with what is wanted, and brought up to date."""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from common.artifact import content, write_bytes
from common.errors import UsageError
from common.printable import clean
from common.provenance import ROOT
from common.schema.experiment import Data
from common.schema.source import is_url, public
from jobs.plan.models import FILE
from jobs.plan.pieces import DATASET

PLAN = "plan"
# Pieces of devices that are not asked for now are kept: what was measured on them stays as it is.
KEPT = ("benchmark", FILE)
CODE = ("common", "jobs")


def check_place(run: Path, artifacts: Mapping[str, bytes], root: Path = ROOT) -> None:
    """Raises UsageError where nothing may be written: in the checkout itself, and through a symbolic link, which
    whoever made the folder may have led anywhere."""
    plain = Path(os.path.normpath(run.absolute()))
    if root.is_relative_to(plain):
        raise UsageError(f"RUN={run} holds this checkout", hint="give a folder of its own, such as runs/demo")
    if plain.is_relative_to(root):
        top = plain.relative_to(root).parts[0]
        if top.startswith(".") or top in CODE:
            raise UsageError(f"RUN={run} is in {top}, which is not for runs", hint="give a folder such as runs/demo")
    folders = {(plain / part / name).parent for name in artifacts for part in ("", PLAN)}
    for folder in (plain, *sorted(folders)):
        resolved = folder.resolve()
        if resolved != folder:
            shown = clean(f"{folder} goes through a symbolic link to {resolved}")
            raise UsageError(shown, hint="give RUN the path that it leads to, or remove the link")


def outdated(run: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """The pieces that are missing or differ."""
    return [name for name, content in wanted.items() if _content(run / PLAN / name) != content]


def update(run: Path, wanted: Mapping[str, bytes]) -> None:
    """Write every piece that changed, and no other; remove those that nothing depends on any more."""
    for path in sorted((run / PLAN).rglob("*")):
        name = path.relative_to(run / PLAN)
        if path.is_file() and name.as_posix() not in wanted and name.parts[0] not in KEPT:
            path.unlink()
    for changed in outdated(run, wanted):
        write_bytes(run / PLAN / changed, wanted[changed])


def other_data(run: Path, data: Data) -> str | None:
    """A sentence when the run was planned with another data source."""
    try:
        planned = json.loads(content(run / PLAN / DATASET))
        before = Data.model_validate(planned["data"])
    except (UsageError, ValueError, LookupError, TypeError, RecursionError):
        return None
    if before.source == data.source:
        return None
    old, new = (clean(shlex.quote(public(s) if is_url(s) else s)) for s in (before.source, data.source))
    keep = f"DATA={old} DATA_SHA256={before.sha256}" if before.sha256 else f"DATA={old}"
    return f"note: the data source changes from {old} to {new}: everything is made anew ({keep} keeps it)"


def _content(path: Path) -> bytes | None:
    try:
        return content(path)
    except UsageError:
        return None
