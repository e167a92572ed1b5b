"""Which files belong to which class, from their paths alone."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import UsageError

# What operating systems and file managers leave behind, beside everything that starts with a dot.
LITTER = frozenset({"__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN"})
CLASS_DEPTH = 2
HINT = "put the images of each class into a folder of its own, e.g. photos/fire and photos/no_fire"


@dataclass(frozen=True)
class Entry:
    """A file or folder of a source: its path from the source's root, with slashes."""

    path: str
    is_folder: bool = False


@dataclass(frozen=True)
class Layout:
    """`classes` sorted by name; `labels` maps the path of every class's file to its class."""

    classes: tuple[str, ...]
    labels: Mapping[str, int]


def shown(path: str) -> str:
    """A path that can be stored and printed: bytes that are no UTF-8 become replacement characters."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def arrange(entries: Sequence[Entry], where: str) -> Layout:
    """Find the class folders: those at the top, or those in the only folder at the top.

    Files beside the class folders, hidden files and litter belong to no class. Raises UsageError
    when there are not two classes with files.
    """
    paths = {entry.path: _parts(entry.path) for entry in entries}
    paths = {path: parts for path, parts in paths.items() if parts and not _ignored(parts)}
    folders = {paths[entry.path] for entry in entries if entry.is_folder and entry.path in paths}
    folders |= {parts[:depth] for parts in paths.values() for depth in range(1, len(parts))}
    wrapped = _wrapping(folders)
    names = sorted({_class_name(parts[wrapped]) for parts in folders if len(parts) > wrapped})
    files = {e.path: paths[e.path] for e in entries if not e.is_folder and e.path in paths}
    labels = {
        path: names.index(_class_name(parts[wrapped]))
        for path, parts in files.items()
        if len(parts) >= wrapped + CLASS_DEPTH
    }
    _check(names, labels, where)
    return Layout(tuple(names), labels)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in {"", "."})


def _ignored(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part in LITTER for part in parts)


def _wrapping(folders: set[tuple[str, ...]]) -> int:
    """1 when everything lies in one folder that has folders itself, else 0."""
    top = {parts[0] for parts in folders}
    return int(len(top) == 1 and any(len(parts) > 1 for parts in folders))


def _class_name(folder: str) -> str:
    # macOS stores decomposed letters; the same class must have the same name everywhere.
    return unicodedata.normalize("NFC", shown(folder))


def _check(names: list[str], labels: Mapping[str, int], where: str) -> None:
    if not names:
        raise UsageError(f"{where} has no class folders", hint=HINT)
    if len(names) == 1:
        raise UsageError(f"{where} has only one class folder, {names[0]!r}", hint=HINT)
    for label, name in enumerate(names):
        if label not in labels.values():
            raise UsageError(f"{where}: the folder of class {name!r} has no files", hint="fill it or remove it")
