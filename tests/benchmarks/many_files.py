"""The public .tflite files that benchmarks read by the hundred: `many_files.toml` lists them, and none is kept here."""

import hashlib
import sys
import tomllib
from pathlib import Path

LIST = Path(__file__).with_suffix(".toml")


def found(folder: Path, *, every: bool) -> dict[str, Path]:
    """The listed files that the folder holds under any name, by their source; every other one by its name if wanted.

    Says on standard error how many are not there.
    """
    paths = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    listed, absent = {}, 0
    for source in tomllib.loads(LIST.read_text(encoding="utf-8"))["source"]:
        for name, digest in source["files"]:
            path = paths.pop(digest, None)
            absent += path is None
            if path is not None:
                listed[source["address"] + name] = path
    if absent:
        print(f"{absent} files of the list are not there", file=sys.stderr)
    return listed | ({path.name: path for path in paths.values()} if every else {})
