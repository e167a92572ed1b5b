"""Artifacts that lost a file: make only looks at their JSON, and would call them up to date."""

import json
from collections.abc import Iterator
from pathlib import Path

ARTIFACTS = (
    "dataset/dataset.json",
    "train/training.json",
    "variants/*/variant.json",
    "evaluation/*/evaluation.json",
    "best/choice.json",
)
REFERENCE = {"path", "sha256", "size_bytes"}


def take_away_incomplete(run: Path) -> list[Path]:
    """Delete every JSON in a run's folder that names a file which is gone, so that make makes the artifact
    anew; the files that are missing. What cannot be read is left to the stage that reads it."""
    missing = []
    for pattern in ARTIFACTS:
        for artifact in sorted(run.glob(pattern)):
            gone = [path for path in _files(artifact) if not path.exists()]
            if gone:
                artifact.unlink(missing_ok=True)
                missing += gone
    return missing


def _files(artifact: Path) -> Iterator[Path]:
    try:
        found = json.loads(artifact.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    # A stage's own files stand at the top or one table below; further down are those of others.
    tops = list(found.values()) if isinstance(found, dict) else []
    for value in [*tops, *(inner for top in tops if isinstance(top, dict) for inner in top.values())]:
        if isinstance(value, dict) and value.keys() >= REFERENCE and isinstance(value["path"], str):
            yield artifact.parent / value["path"]
