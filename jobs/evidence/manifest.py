"""The list of a bundle's files. Pure."""

import hashlib
from collections.abc import Iterator, Sequence

from common.schema.base import FileRef
from common.schema.evidence import Finding, Manifest


def manifest(experiment: str, files: Sequence[FileRef]) -> Manifest:
    """The manifest of these files."""
    listed = tuple(sorted(files, key=lambda file: file.path))
    return Manifest(experiment=experiment, files=listed, digest=digest(listed))


def digest(files: Sequence[FileRef]) -> str:
    """One hash over the list."""
    lines = "".join(f"{file.sha256} {file.size_bytes} {file.path}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def unlike(stated: Manifest, found: Sequence[FileRef]) -> Iterator[Finding]:
    """How the list differs from what is in the bundle."""
    if stated.digest != digest(stated.files):
        yield Finding(where="manifest.json: digest", stated=stated.digest, derived=digest(stated.files))
    listed, there = ({file.path: file for file in files} for files in (stated.files, found))
    if len(listed) != len(stated.files) or list(listed) != sorted(listed):
        yield Finding(where="manifest.json: files", stated="out of order, or one twice", derived="a sorted list")
    for path in sorted({*listed, *there}):
        one, other = listed.get(path), there.get(path)
        if one is None or other is None:
            word = "in the manifest" if other is None else "in the bundle"
            yield Finding(where=path, stated=f"{word} alone", derived="a file in both")
        elif one != other:
            same = one.sha256 == other.sha256
            stated_, derived = (one.size_bytes, other.size_bytes) if same else (one.sha256, other.sha256)
            where = f"{path}: {'size' if same else 'sha256'} in the manifest"
            yield Finding(where=where, stated=str(stated_), derived=str(derived))
