"""A data source on this machine."""

from pathlib import Path

from common.errors import UsageError
from common.schema.source import SYNTHETIC

HINT = f"give a folder, an archive, an http(s) URL or {SYNTHETIC}"


def local_path(source: str) -> Path:
    """The path of a local source. Raises UsageError when it is neither a folder nor a file."""
    path = Path(source)
    if not path.is_dir() and not path.is_file():
        wrong = "is neither a folder nor a file" if path.exists() else "does not exist"
        raise UsageError(f"data source {source!r} {wrong}", hint=HINT)
    return path
