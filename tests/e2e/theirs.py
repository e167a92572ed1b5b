"""A run folder that somebody else made: a finished one, changed so that every hash in it still fits."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifact import sha256_file

REFERENCE = {"path", "sha256", "size_bytes"}
# What a terminal, a page, a model card, a table or a spreadsheet would obey.
TITLE = "\x1b]0;owned\x07"
MARKUP = "<img src=x onerror=alert(1)>`|\n# owned"
EVIL = f"\t=1+1{TITLE}\u202e{MARKUP}"
# The folders in the order in which each reads those before it.
ORDER = (
    *("dataset/dataset.json", "train/training.json", "variants/*/variant.json", "evaluation/*/evaluation.json"),
    *("benchmark/*/benchmark.json", "best/choice.json"),
)


@dataclass(frozen=True)
class Outside:
    """What lies beside the run and belongs to the user: `secret` is a file of `folder`; `mark` is made by code that
    somebody else wrote, if it runs."""

    folder: Path

    @property
    def secret(self) -> Path:
        return self.folder / "secret"

    @property
    def mark(self) -> Path:
        return self.folder / "mark"


class Theirs:
    """The folder of such a run, and the user's own experiment. Times stay as they were, so that make takes what is
    there for finished."""

    def __init__(self, experiment: Path, run: Path) -> None:
        self.experiment, self.run = experiment, run

    def change(self, name: str, change: Callable[[Any], object]) -> None:
        """Change a JSON file in place."""
        path = self.run / name
        table = json.loads(path.read_text(encoding="utf-8"))
        change(table)
        self._write(path, table)

    def replace(self, name: str, make: Callable[[Path], object]) -> None:
        """Put something else in a file's place."""
        path = self.run / name
        times = path.stat() if path.exists() else None
        path.unlink(missing_ok=True)
        make(path)
        if times is not None and path.is_file() and not path.is_symlink():
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def seal(self) -> None:
        """Make every hash fit again."""
        hashes: dict[str, str] = {}
        for path in self._artifacts():
            table = json.loads(path.read_text(encoding="utf-8"))
            for ref in _references(table):
                file = path.parent / ref["path"]
                if file.is_file():
                    ref |= {"sha256": sha256_file(file), "size_bytes": file.stat().st_size}
            for item in table["provenance"]["inputs"]:
                # A benchmark speaks of a variant's file, a choice of its JSON.
                if item["role"] in {"dataset", "training"} or path.stem == "choice":
                    item["sha256"] = hashes.get(item["role"], item["sha256"])
            self._write(path, table)
            named = {"variant": path.parent.name, "evaluation": path.parent.name}
            named |= {"benchmark": table["target"]["name"]} if path.stem == "benchmark" else {}
            hashes[f"{path.stem} {named[path.stem]}" if path.stem in named else path.stem] = sha256_file(path)

    def _artifacts(self) -> Iterator[Path]:
        for pattern in ORDER:
            yield from sorted(self.run.glob(pattern))

    def _write(self, path: Path, table: object) -> None:
        times = path.stat()
        path.write_text(json.dumps(table), encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _references(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.keys() == REFERENCE:
            yield value
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
