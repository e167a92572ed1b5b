"""Artifacts that lost a file: make only looks at their JSON, and would call them up to date."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from common.artifact import content
from common.errors import UsageError

REFERENCE = {"path", "sha256", "size_bytes"}
# Repeats what the artifacts of other stages say, with paths that start at their folders.
REPEATS = "report/results.json"


def incomplete(run: Path, artifacts: Iterable[str]) -> dict[str, list[Path]]:
    """Of artifacts (paths of JSON below the run's folder) those that name a file which is gone, with these files.
    What cannot be read is left to the stage that reads it."""
    gone = {name: [path for path in _files(run / name) if not path.exists()] for name in artifacts if name != REPEATS}
    return {name: paths for name, paths in gone.items() if paths}


def _files(artifact: Path) -> Iterator[Path]:
    try:
        found = json.loads(content(artifact))
    except (UsageError, ValueError, RecursionError):
        return
    # A stage's own files stand at the top or one table below; further down are those of others.
    tops = list(found.values()) if isinstance(found, dict) else []
    for value in [*tops, *(inner for top in tops if isinstance(top, dict) for inner in top.values())]:
        if isinstance(value, dict) and value.keys() >= REFERENCE and isinstance(value["path"], str):
            yield artifact.parent / value["path"]
