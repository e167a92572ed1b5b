"""Files of one folder in another: no artifact is ever changed in place, so that a link is as good as a copy."""

import os
import shutil
from pathlib import Path


def linked(source: Path, target: Path) -> None:
    """The files of a folder under the same names, as hard links where the disk has them; what is there and the same
    stays."""
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name == ".lock":
            continue
        place = target / path.relative_to(source)
        if (
            place.is_file()
            and place.stat().st_mtime_ns == path.stat().st_mtime_ns
            and place.stat().st_size == path.stat().st_size
        ):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            os.link(path, place)
        except OSError:
            shutil.copy2(path, place)
